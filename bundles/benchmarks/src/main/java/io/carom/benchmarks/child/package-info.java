/** The measuring side: the program of the JVMs that tasks run in. */
@NullMarked
package io.carom.benchmarks.child;

import org.jspecify.annotations.NullMarked;
