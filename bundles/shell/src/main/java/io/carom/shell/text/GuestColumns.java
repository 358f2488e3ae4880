package io.carom.shell.text;

import io.carom.guest.PageCacheInfo;

/** Columns of what the guest tells. */
final class GuestColumns {
  static final Columns<PageCacheInfo> CACHE =
      new Columns<PageCacheInfo>()
          .word("pages", PageCacheInfo::pages)
          .word("  borrowed", PageCacheInfo::borrowedPages)
          .word("hits", PageCacheInfo::hits)
          .word("misses", PageCacheInfo::misses)
          .word("migrated", PageCacheInfo::migrated)
          .word("dropped", PageCacheInfo::dropped);

  private GuestColumns() {}
}
