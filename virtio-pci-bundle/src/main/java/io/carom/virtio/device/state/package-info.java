/** Saved states as bytes. */
@NullMarked
package io.carom.virtio.device.state;

import org.jspecify.annotations.NullMarked;
