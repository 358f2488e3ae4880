/** How much of a region a device needs. */
@NullMarked
package io.carom.shell.sizing;

import org.jspecify.annotations.NullMarked;
