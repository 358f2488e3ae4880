/** Starts the container, runs commands in it, and turns their outcome into an exit status. */
@org.jspecify.annotations.NullMarked
package io.carom.launcher;
