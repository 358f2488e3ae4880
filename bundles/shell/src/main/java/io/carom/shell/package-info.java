/** Registers the commands with Gogo, and gives each session what the commands need. */
@NullMarked
package io.carom.shell;

import org.jspecify.annotations.NullMarked;
