package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.PageAllocator;
import io.carom.guest.shim.fake.FakeMemory;
import io.carom.memory.PhysicalLayout;
import org.junit.jupiter.api.Test;

class RamPageAllocatorTest {
  private static final long MIB = 1 << 20;

  private final FakeMemory memory = new FakeMemory(MIB, MIB);
  private final RamPageAllocator pages = new RamPageAllocator(memory);

  @Test
  void highRamComesFirstUnlessTheLimitForbidsIt() {
    assertThat(pages.allocate(4, 4096, Long.MAX_VALUE))
        .isGreaterThanOrEqualTo(PhysicalLayout.HIGH_RAM_BASE);
    assertThat(pages.allocate(4, 4096, -1L)).isGreaterThanOrEqualTo(PhysicalLayout.HIGH_RAM_BASE);
    assertThat(pages.allocate(4, 4096, 1L << 32)).isLessThan(MIB);
    assertThat(pages.allocate(4, 4096, 8192)).isEqualTo(PageAllocator.NONE);
  }

  @Test
  void fallsBackToLowRamAndNeverGivesPageZero() {
    long low = 0;
    long last = pages.allocate(1, 4096, Long.MAX_VALUE);
    while (last != PageAllocator.NONE) {
      assertThat(last).isNotZero();
      low += last < MIB ? 1 : 0;
      last = pages.allocate(1, 4096, Long.MAX_VALUE);
    }
    assertThat(low).isEqualTo(255);
    assertThat(memory.pageMap().freePages()).isEqualTo(1);
  }

  @Test
  void alignmentIsKept() {
    assertThat(pages.allocate(1, 4096, Long.MAX_VALUE)).isPositive();
    assertThat(pages.allocate(16, 65536, Long.MAX_VALUE) % 65536).isZero();
  }

  @Test
  void impossibleRunsAreRefusedAndNonsenseIsNamed() {
    assertThat(pages.allocate(Long.MAX_VALUE, 4096, Long.MAX_VALUE)).isEqualTo(PageAllocator.NONE);
    assertThatThrownBy(() -> pages.allocate(0, 4096, -1L)).hasMessageContaining("0 pages");
    assertThatThrownBy(() -> pages.allocate(1, 100, -1L)).hasMessageContaining("100");
    assertThatThrownBy(() -> pages.free(8192, 1)).isInstanceOf(IllegalStateException.class);
  }
}
