/**
 * Updates of bundles under load, in a container that was started for it. What is here runs in that
 * container; the bundle that it is in is none of those that are updated.
 */
@NullMarked
package io.carom.benchmarks.update;

import org.jspecify.annotations.NullMarked;
