/** What the DMA API hides of a platform, seen through a real core, strategies and ports. */
@NullMarked
package io.carom.strategies.platform;

import org.jspecify.annotations.NullMarked;
