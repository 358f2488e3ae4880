/** What is to be measured, and how long each part of it may take. */
@NullMarked
package io.carom.benchmarks.plan;

import org.jspecify.annotations.NullMarked;
