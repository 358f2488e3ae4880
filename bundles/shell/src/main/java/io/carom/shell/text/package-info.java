/** Turns results into text for people. */
@NullMarked
package io.carom.shell.text;

import org.jspecify.annotations.NullMarked;
