/** What the proofs share: a machine, a core, its strategies, and both sides of a device. */
@NullMarked
package io.carom.strategies.kit;

import org.jspecify.annotations.NullMarked;
