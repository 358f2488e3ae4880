/** The DMA benchmark: a pseudo device that maps and unmaps, and what it measures. */
@NullMarked
package io.carom.guest.shim.dmabench;

import org.jspecify.annotations.NullMarked;
