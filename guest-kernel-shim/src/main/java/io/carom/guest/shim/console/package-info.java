/** The driver of consoles: {@code hvc0}, {@code vport0p1} and on, and the getty on a console. */
@NullMarked
package io.carom.guest.shim.console;

import org.jspecify.annotations.NullMarked;
