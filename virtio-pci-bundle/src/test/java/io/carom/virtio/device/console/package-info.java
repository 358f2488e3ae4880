/** Tests of the console device. */
@NullMarked
package io.carom.virtio.device.console;

import org.jspecify.annotations.NullMarked;
