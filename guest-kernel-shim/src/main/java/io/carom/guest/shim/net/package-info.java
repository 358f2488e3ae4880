/** Networks: the virtio network driver, its interfaces, and as much of IPv4 as workloads need. */
@NullMarked
package io.carom.guest.shim.net;

import org.jspecify.annotations.NullMarked;
