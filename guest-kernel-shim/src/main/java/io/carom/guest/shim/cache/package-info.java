/** The page cache that buffered I/O goes through; it borrows memory that others lend. */
@NullMarked
package io.carom.guest.shim.cache;

import org.jspecify.annotations.NullMarked;
