/** A machine made by hand, on which the tests of this bundle boot the guest. */
@NullMarked
package io.carom.guest.shim.fake;

import org.jspecify.annotations.NullMarked;
