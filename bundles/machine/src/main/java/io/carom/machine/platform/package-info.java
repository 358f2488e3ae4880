/**
 * What lies between the guest's CPUs and a device's view of RAM: stages that the DMA API hides, each
 * alone or with any of the others.
 */
@NullMarked
package io.carom.machine.platform;

import org.jspecify.annotations.NullMarked;
