/** A test for each known bug of Linux's software IO TLB, and for how bytes move. */
@NullMarked
package io.carom.strategies.bugs;

import org.jspecify.annotations.NullMarked;
