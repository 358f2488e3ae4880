/**
 * The guest kernel's frame: its log, its pages, its work thread, and the component that boots it.
 */
@NullMarked
package io.carom.guest.shim.kernel;

import org.jspecify.annotations.NullMarked;
