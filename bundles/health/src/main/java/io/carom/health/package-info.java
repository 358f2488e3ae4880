/** Health checks (Felix) of what a swap may leave behind. */
@NullMarked
package io.carom.health;

import org.jspecify.annotations.NullMarked;
