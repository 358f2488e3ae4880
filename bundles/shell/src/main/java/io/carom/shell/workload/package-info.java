/** Workloads with what they need around them. */
@NullMarked
package io.carom.shell.workload;

import org.jspecify.annotations.NullMarked;
