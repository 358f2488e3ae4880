/** A plugged function: command register, BAR decoding, interrupts, and its life. */
@NullMarked
package io.carom.pcibus.function;

import org.jspecify.annotations.NullMarked;
