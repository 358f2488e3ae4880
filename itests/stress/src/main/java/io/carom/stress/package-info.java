/** Stress tests of the concurrency protocols: one class per race, actors named for their roles. */
@NullMarked
package io.carom.stress;

import org.jspecify.annotations.NullMarked;
