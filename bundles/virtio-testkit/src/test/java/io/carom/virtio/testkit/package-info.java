/** Tests of the kit itself. */
@NullMarked
package io.carom.virtio.testkit;

import org.jspecify.annotations.NullMarked;
