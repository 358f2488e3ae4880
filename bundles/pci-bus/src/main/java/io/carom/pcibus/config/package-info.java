/** Configuration space: registers with their access rules, the header, and the capability chain. */
@NullMarked
package io.carom.pcibus.config;

import org.jspecify.annotations.NullMarked;
