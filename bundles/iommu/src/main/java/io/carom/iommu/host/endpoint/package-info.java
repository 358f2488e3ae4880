/** Functions as the IOMMU sees them: their translations, and the caches of these. */
@NullMarked
package io.carom.iommu.host.endpoint;

import org.jspecify.annotations.NullMarked;
