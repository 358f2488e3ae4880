/** Guest memory, device memory and the physical address map: what outlives every device model. */
@Export
@Version("1.0.0")
@NullMarked
package io.carom.memory;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
