/**
 * A model of the hot swap protocol, and a checker that runs it on one thread in random schedules.
 *
 * <p>The model has a step for each access that other threads can see: taking a stripe's lock,
 * reading who is current, publishing a record, changing a count. Between any two steps of an actor
 * those of all others may come. After each step the invariants are looked at. Each actor names the
 * code that it stands for; what the real code does between two accesses that others see is one step
 * here.
 *
 * <p>That the checker can find what it looks for is shown by {@link
 * io.carom.dma.core.protocol.Flaw}: each leaves out one rule of the protocol, and must be found.
 */
@NullMarked
package io.carom.dma.core.protocol;

import org.jspecify.annotations.NullMarked;
