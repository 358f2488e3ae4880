/** Reads PCI config space and prints it as pciutils does. */
@NullMarked
package io.carom.shell.lspci;

import org.jspecify.annotations.NullMarked;
