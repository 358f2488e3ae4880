/** The way of devices to memory: ports, their routes, and the sections that use them. */
@NullMarked
package io.carom.machine.port;

import org.jspecify.annotations.NullMarked;
