/** What is kept of the slots of the PCI bus while its code is replaced. */
@NullMarked
package io.carom.machine.slot;

import org.jspecify.annotations.NullMarked;
