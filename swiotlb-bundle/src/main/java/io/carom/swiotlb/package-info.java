/** Software IO TLB strategies as OSGi services. */
@NullMarked
package io.carom.swiotlb;

import org.jspecify.annotations.NullMarked;
