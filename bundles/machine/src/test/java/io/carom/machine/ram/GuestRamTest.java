package io.carom.machine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.memory.GuestMemory;
import io.carom.memory.PageStateCounters;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class GuestRamTest {
  private static final long PAGE = 4096;
  private static final long HIGH = 1L << 32;

  private final AtomicInteger quiesced = new AtomicInteger();
  private boolean quiesceSucceeds = true;

  private GuestRam ram(final boolean confidential) {
    final Ram ram = new Ram(128 * PAGE, 64 * PAGE);
    return new GuestRam(
        ram,
        new PageStates(ram.size(), confidential),
        0x4000_0000L,
        () -> {
          quiesced.incrementAndGet();
          return quiesceSucceeds;
        });
  }

  @Test
  void withoutConfidentialityEverythingIsSharedAndNothingCounted() {
    final GuestMemory ram = ram(false);
    ram.unshare(0, 5);
    ram.share(0, 3);
    assertThat(ram.shared(0)).isTrue();
    assertThat(ram.pageStateCounters()).isEqualTo(new PageStateCounters(0, 0, 192));
    assertThat(quiesced).hasValue(0);
    assertThat(ram.shared(128 * PAGE)).as("a hole is not shared").isFalse();
  }

  @Test
  void confidentialPagesAreSharedAndUnsharedByCountedCalls() {
    final GuestMemory ram = ram(true);
    assertThat(ram.shared(0)).isFalse();
    ram.share(63 * PAGE, 2); // crosses a word of the bitmap
    ram.share(63 * PAGE, 1); // again: a call, but no new page
    ram.share(HIGH, 1);
    assertThat(ram.shared(62 * PAGE)).isFalse();
    assertThat(ram.shared(63 * PAGE)).isTrue();
    assertThat(ram.shared(64 * PAGE + 4095)).isTrue();
    assertThat(ram.shared(65 * PAGE)).isFalse();
    assertThat(ram.shared(HIGH)).isTrue();
    assertThat(ram.pageStateCounters()).isEqualTo(new PageStateCounters(3, 0, 3));
    assertThat(quiesced).hasValue(0);
    ram.unshare(63 * PAGE, 2);
    assertThat(ram.shared(63 * PAGE)).isFalse();
    assertThat(ram.pageStateCounters()).isEqualTo(new PageStateCounters(3, 1, 1));
    assertThat(quiesced).hasValue(1);
  }

  @Test
  void anAccessThatOutlivesItsPageIsNotSilent() {
    final GuestMemory ram = ram(true);
    ram.share(0, 1);
    quiesceSucceeds = false;
    assertThatThrownBy(() -> ram.unshare(0, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("has not ended");
    assertThat(ram.shared(0)).isFalse();
  }

  @Test
  void onlyWholePagesOfRamChange() {
    final GuestMemory ram = ram(true);
    for (final long address : new long[] {1, 128 * PAGE, 127 * PAGE, -PAGE, HIGH + 63 * PAGE}) {
      assertThatThrownBy(() -> ram.share(address, 2))
          .as("address %x", address)
          .isInstanceOf(IllegalArgumentException.class);
    }
    for (final long pages : new long[] {0, -1, 193, Long.MAX_VALUE, 1L << 52}) {
      assertThatThrownBy(() -> ram.unshare(0, pages))
          .as("pages %d", pages)
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(ram.pageStateCounters()).isEqualTo(new PageStateCounters(0, 0, 0));
  }

  @Test
  void segmentsAreViewsOfRam() {
    final GuestMemory ram = ram(false);
    ram.segment(HIGH + PAGE, 16).fill((byte) 7);
    assertThat(ram.ram().asByteBuffer().get((int) (129 * PAGE + 15))).isEqualTo((byte) 7);
    assertThatThrownBy(() -> ram.segment(127 * PAGE, PAGE + 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(ram.busOffset()).isEqualTo(0x4000_0000L);
    assertThat(ram.offset(HIGH)).isEqualTo(128 * PAGE);
  }

  @Test
  void deviceRegionsSurviveTheirDevices() {
    final RegionStore store = new RegionStore(new ReservedRam(new Ram(PAGE, 0)), ram(false));
    store.region("vda", PAGE).memory().fill((byte) 9);
    assertThat(store.region("vda", PAGE).memory().toArray(ValueLayout.JAVA_BYTE))
        .containsOnly((byte) 9);
    assertThat(store.region("vda", 2 * PAGE).size()).isEqualTo(2 * PAGE);
    store.remove("vda");
    assertThat(store.region("vda", 2 * PAGE).memory().asByteBuffer().get(0)).isZero();
    assertThatThrownBy(() -> store.region("vdb", 100))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("vdb")
        .hasMessageContaining("4096");
  }
}
