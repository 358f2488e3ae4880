/** Proofs about swaps under load. */
@NullMarked
package io.carom.strategies.swap;

import org.jspecify.annotations.NullMarked;
