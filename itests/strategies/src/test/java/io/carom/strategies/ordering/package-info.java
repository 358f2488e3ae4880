/** The order in which one thread sees what another published, by exhaustive search. */
@NullMarked
package io.carom.strategies.ordering;

import org.jspecify.annotations.NullMarked;
