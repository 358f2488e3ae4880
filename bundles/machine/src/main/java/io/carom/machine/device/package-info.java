/** What the machine keeps of device models: their registers, and their heads in flight. */
@NullMarked
package io.carom.machine.device;

import org.jspecify.annotations.NullMarked;
