/** Stand-ins for the services. */
@NullMarked
package io.carom.shell.fake;

import org.jspecify.annotations.NullMarked;
