/** Turns results into JSON. */
@NullMarked
package io.carom.shell.json;

import org.jspecify.annotations.NullMarked;
