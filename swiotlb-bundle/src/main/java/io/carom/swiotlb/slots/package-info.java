/** What every strategy in slots needs: a request's constraints, and runs of free slots. */
@NullMarked
package io.carom.swiotlb.slots;

import org.jspecify.annotations.NullMarked;
