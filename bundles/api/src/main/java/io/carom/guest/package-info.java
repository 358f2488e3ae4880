/** The guest kernel, as shell commands and tests see it. */
@Export
@Version("1.0.0")
@NullMarked
package io.carom.guest;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
