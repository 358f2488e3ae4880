/** The names by which people call devices. */
@NullMarked
package io.carom.shell.device;

import org.jspecify.annotations.NullMarked;
