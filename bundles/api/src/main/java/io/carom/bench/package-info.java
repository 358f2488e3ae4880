/** Benchmarks that the distribution carries, as shell commands see them. */
@Export
@Version("1.2.0")
@NullMarked
package io.carom.bench;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
