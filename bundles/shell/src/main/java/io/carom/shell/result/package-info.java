/** What commands return: the component names are the keys of the JSON, a contract with scripts. */
@NullMarked
package io.carom.shell.result;

import org.jspecify.annotations.NullMarked;
