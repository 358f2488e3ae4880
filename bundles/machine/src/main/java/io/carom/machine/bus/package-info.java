/** The physical address map as CPUs see it, and the delivery of interrupts. */
@NullMarked
package io.carom.machine.bus;

import org.jspecify.annotations.NullMarked;
