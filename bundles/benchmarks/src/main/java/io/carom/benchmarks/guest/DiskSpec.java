package io.carom.benchmarks.guest;

import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/**
 * A disk of a {@link DiskMachine}.
 *
 * @param strategy strategy, or the alias {@code swiotlb-device}
 * @param extents where it bounces to, or null when it does not
 */
public record DiskSpec(String strategy, @Nullable ExtentKind extents) {}
