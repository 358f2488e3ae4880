package io.carom.guest;

import org.osgi.annotation.versioning.ProviderType;

/**
 * The guest's page cache, which buffered I/O goes through: a service of the shim. It holds pages of
 * its own up to a ceiling, and what memory is lent to it. Thread-safe.
 */
@ProviderType
public interface PageCache {
  /** What it holds now, and what it has counted. */
  PageCacheInfo info();
}
