package io.carom.shell.demo;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the user wants of the demo.
 *
 * @param disk the image to use, or null for a scratch image
 * @param write whether the image may be written
 * @param seconds length of the swap phase
 * @param seed seed of contents and offsets
 */
public record DemoOptions(@Nullable Path disk, boolean write, int seconds, long seed) {}
