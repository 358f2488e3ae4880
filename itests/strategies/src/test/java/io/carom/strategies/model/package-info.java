/** Every strategy against a reference model, on random devices and random use. */
@NullMarked
package io.carom.strategies.model;

import org.jspecify.annotations.NullMarked;
