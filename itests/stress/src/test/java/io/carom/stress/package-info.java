/** Runs the stress tests from the build. */
@NullMarked
package io.carom.stress;

import org.jspecify.annotations.NullMarked;
