/** The driver of entropy devices: {@code hwrng0} and on. */
@NullMarked
package io.carom.guest.shim.rng;

import org.jspecify.annotations.NullMarked;
