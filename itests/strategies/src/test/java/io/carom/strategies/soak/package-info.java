/** Several threads on each strategy, every byte verified, swaps in between. */
@NullMarked
package io.carom.strategies.soak;

import org.jspecify.annotations.NullMarked;
