/** Guest RAM, its page states, its allocation map, and the memory of devices. */
@NullMarked
package io.carom.machine.ram;

import org.jspecify.annotations.NullMarked;
