/** Interrupts in the guest: vectors, their handlers, and the thread that runs the slow ones. */
@NullMarked
package io.carom.guest.shim.irq;

import org.jspecify.annotations.NullMarked;
