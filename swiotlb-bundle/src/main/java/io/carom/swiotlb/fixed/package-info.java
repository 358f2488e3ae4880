/** The fixed pool: slots, slot sets and areas, next fit, as Linux has it. */
@NullMarked
package io.carom.swiotlb.fixed;

import org.jspecify.annotations.NullMarked;
