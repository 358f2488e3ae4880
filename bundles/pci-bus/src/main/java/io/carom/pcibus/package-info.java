/** The host bridge: slots, the configuration window, and hotplug. */
@NullMarked
package io.carom.pcibus;

import org.jspecify.annotations.NullMarked;
