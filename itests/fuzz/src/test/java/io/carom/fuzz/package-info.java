/**
 * Fuzz targets: programs of a hostile guest, one input each, run against a device, and what must
 * hold whatever they do.
 */
@NullMarked
package io.carom.fuzz;

import org.jspecify.annotations.NullMarked;
