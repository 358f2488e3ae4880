/** The core's side of the SPI, for tests of strategies. */
@NullMarked
package io.carom.swiotlb.kit;

import org.jspecify.annotations.NullMarked;
