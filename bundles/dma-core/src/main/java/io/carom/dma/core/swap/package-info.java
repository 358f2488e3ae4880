/** Which strategy a device has, and the change from one to another while it works. */
@NullMarked
package io.carom.dma.core.swap;

import org.jspecify.annotations.NullMarked;
