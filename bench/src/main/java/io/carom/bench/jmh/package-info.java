/** JMH benchmarks of what happens for every request: maps and unmaps, rings, ports. */
@NullMarked
package io.carom.bench.jmh;

import org.jspecify.annotations.NullMarked;
