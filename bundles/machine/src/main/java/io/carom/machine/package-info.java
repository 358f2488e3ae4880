/** The machine: what outlives every device model. */
@NullMarked
package io.carom.machine;

import org.jspecify.annotations.NullMarked;
