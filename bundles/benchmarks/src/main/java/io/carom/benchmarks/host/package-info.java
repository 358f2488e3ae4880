/** The container's side: starts a JVM for each task, and collects what it measured. */
@NullMarked
package io.carom.benchmarks.host;

import org.jspecify.annotations.NullMarked;
