/** A job of I/O against a modelled device: in real time, or on a virtual clock. */
@NullMarked
package io.carom.benchmarks.io;

import org.jspecify.annotations.NullMarked;
