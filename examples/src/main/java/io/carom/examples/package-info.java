/** A worked example: a strategy that can be swapped like those that ship. */
@NullMarked
package io.carom.examples;

import org.jspecify.annotations.NullMarked;
