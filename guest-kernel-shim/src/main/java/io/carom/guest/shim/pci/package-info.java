/**
 * PCI in the guest: enumeration, address assignment, capabilities, MSI-X, driver binding, hotplug.
 */
@NullMarked
package io.carom.guest.shim.pci;

import org.jspecify.annotations.NullMarked;
