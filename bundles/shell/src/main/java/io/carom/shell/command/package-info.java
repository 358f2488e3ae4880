/** The commands, one class each, and what they have in common. */
@NullMarked
package io.carom.shell.command;

import org.jspecify.annotations.NullMarked;
