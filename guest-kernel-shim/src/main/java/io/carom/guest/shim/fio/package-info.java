/** Workloads on the guest's disks, and the identities by which they know every sector again. */
@NullMarked
package io.carom.guest.shim.fio;

import org.jspecify.annotations.NullMarked;
