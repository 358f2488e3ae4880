package io.carom.guest.shim.kernel;

import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;

/** The kernel's page allocator for tests of other packages. */
public final class FakePages {
  private FakePages() {}

  /** An allocator over RAM. */
  public static PageAllocator of(final GuestMemory memory) {
    return new RamPageAllocator(memory);
  }
}
