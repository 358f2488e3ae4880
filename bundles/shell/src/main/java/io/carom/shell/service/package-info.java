/** The services that the commands stand on, and what most of them do with these. */
@NullMarked
package io.carom.shell.service;

import org.jspecify.annotations.NullMarked;
