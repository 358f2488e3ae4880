package io.carom.pcibus.function;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.pci.BusPort;
import io.carom.pci.BusSession;
import io.carom.pci.MsixSpec;
import io.carom.pci.PortCounters;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class MsixTableTest {
  private static final int ENABLE = 0x8000;
  private static final int FUNCTION_MASK = 0x4000;
  private static final int VECTORS = 70;
  private static final long TABLE = 0x100;
  private static final long PBA = 0x800;

  private final List<String> sent = new ArrayList<>();
  private final MsixTable msix =
      new MsixTable(
          new MsixSpec(VECTORS, 1, (int) TABLE, (int) PBA),
          new Port((a, d) -> sent.add(Long.toHexString(a) + " " + d)),
          MsixTable.afterReset(VECTORS));

  private interface Receiver {
    void message(long address, int data);
  }

  private record Port(Receiver receiver) implements BusPort {
    @Override
    public String name() {
      return "port";
    }

    @Override
    public BusSession open() {
      throw new AssertionError("raising opens no session");
    }

    @Override
    public PortCounters counters() {
      return new PortCounters(0, 0, 0, 0);
    }

    @Override
    public boolean message(final long address, final int data) {
      receiver.message(address, data);
      return true;
    }
  }

  private void program(final int vector, final boolean masked) {
    final long entry = TABLE + 16L * vector;
    msix.write(entry, 4, 0xFEE0_0000L + vector * 0x1000L);
    msix.write(entry + 4, 4, 1);
    msix.write(entry + 8, 4, vector);
    msix.write(entry + 12, 4, masked ? 1 : 0);
  }

  @Test
  void everyVectorIsMaskedAfterReset() {
    for (int vector = 0; vector < VECTORS; vector++) {
      assertThat(msix.read(TABLE + 16L * vector, 8)).isZero();
      assertThat(msix.read(TABLE + 16L * vector + 8, 8)).isEqualTo(1L << 32);
    }
  }

  @Test
  void anUnmaskedVectorIsSentWithItsAddressAndData() {
    program(3, false);
    msix.raise(3);
    assertThat(sent).as("MSI-X is off").isEmpty();
    assertThat(msix.enabled()).isFalse();
    msix.control(ENABLE);
    assertThat(msix.enabled()).isTrue();
    msix.raise(3);
    assertThat(sent).containsExactly("1fee03000 3");
    msix.raise(-1);
    msix.raise(VECTORS);
    assertThat(sent).hasSize(1);
  }

  @Test
  @DisplayName("I7 D: an entry that is changed while its vector is pending is sent as it is then")
  void i7_remapWhilePending() {
    msix.control(ENABLE);
    program(5, true);
    msix.raise(5);
    msix.write(TABLE + 16 * 5, 8, 0x2_FEE0_0000L);
    msix.write(TABLE + 16 * 5 + 8, 4, 77);
    assertThat(sent).isEmpty();
    msix.write(TABLE + 16 * 5 + 12, 4, 0);
    assertThat(sent).containsExactly("2fee00000 77");
    assertThat(msix.read(PBA, 8)).isZero();
  }

  @Test
  @DisplayName("I7 S6 D: what is pending when the device is reset never fires")
  void i7_forgottenVectorsDoNotFire() {
    msix.control(ENABLE);
    program(5, true);
    program(66, true);
    msix.raise(5);
    msix.raise(66);
    assertThat(msix.read(PBA, 8)).isEqualTo(1 << 5);
    msix.forgetPending();
    assertThat(msix.read(PBA, 8)).isZero();
    assertThat(msix.read(PBA + 8, 8)).isZero();
    msix.write(TABLE + 16 * 5 + 12, 4, 0);
    msix.write(TABLE + 16 * 66 + 12, 4, 0);
    assertThat(sent).isEmpty();
    msix.raise(66);
    assertThat(sent).hasSize(1);
  }

  @Test
  void maskedVectorsArePendingAndFireOnceWhenUnmasked() {
    msix.control(ENABLE);
    program(65, true);
    msix.raise(65);
    msix.raise(65);
    assertThat(sent).isEmpty();
    assertThat(msix.read(PBA + 8, 8)).isEqualTo(2);
    assertThat(msix.read(PBA + 8, 1)).isEqualTo(2);
    assertThat(msix.read(PBA, 4)).isZero();
    msix.write(PBA + 8, 8, 0);
    assertThat(msix.read(PBA + 8, 4)).as("read-only").isEqualTo(2);
    msix.write(TABLE + 16 * 65 + 12, 1, 0); // a partial write unmasks, too
    assertThat(sent).hasSize(1);
    assertThat(msix.read(PBA + 8, 8)).isZero();
  }

  @Test
  void theFunctionMaskHoldsEveryVectorBack() {
    program(0, false);
    program(1, true);
    program(64, false);
    msix.control(ENABLE | FUNCTION_MASK);
    msix.raise(0);
    msix.raise(1);
    msix.raise(64);
    assertThat(sent).isEmpty();
    assertThat(msix.read(PBA, 8)).isEqualTo(3);
    assertThat(msix.read(PBA + 8, 8)).isEqualTo(1);
    msix.control(ENABLE);
    assertThat(sent).containsExactly("1fee00000 0", "1fee40000 64");
    msix.control(FUNCTION_MASK);
    msix.write(TABLE + 16 + 12, 4, 0);
    assertThat(sent).as("off").hasSize(2);
    msix.control(ENABLE);
    assertThat(sent).hasSize(3);
  }

  @Test
  void entriesTakeEveryWidth() {
    msix.write(TABLE, 8, 0x1234_5678_9abc_def3L);
    assertThat(msix.read(TABLE, 8)).as("address is a dword's").isEqualTo(0x1234_5678_9abc_def0L);
    assertThat(msix.read(TABLE + 4, 2)).isEqualTo(0x5678);
    assertThat(msix.read(TABLE + 7, 1)).isEqualTo(0x12);
    msix.write(TABLE + 5, 1, 0xff);
    msix.write(TABLE + 6, 2, 0xaaaa);
    assertThat(msix.read(TABLE + 4, 4)).isEqualTo(0xaaaa_ff78L);
    msix.write(TABLE + 12, 4, 0xffff_fffeL);
    assertThat(msix.read(TABLE + 12, 4)).as("reserved bits").isZero();
    assertThat(msix.inTable(TABLE + 16 * VECTORS - 1)).isTrue();
    assertThat(msix.inTable(TABLE + 16 * VECTORS)).isFalse();
    assertThat(msix.inTable(TABLE - 1)).isFalse();
    assertThat(msix.inPending(PBA + 15)).isTrue();
    assertThat(msix.inPending(PBA + 16)).isFalse();
  }

  /** In each round the guest unmasks once while the device raises once: exactly one message. */
  @Test
  void aRaiseThatMeetsAnUnmaskIsSentExactlyOnce() throws Exception {
    final AtomicInteger messages = new AtomicInteger();
    final MsixTable table =
        new MsixTable(
            new MsixSpec(1, 0, 0, 0x800),
            new Port((a, d) -> messages.incrementAndGet()),
            MsixTable.afterReset(1));
    table.control(ENABLE);
    final int rounds = 100_000;
    final AtomicInteger begun = new AtomicInteger();
    final AtomicInteger done = new AtomicInteger();
    final Thread guest =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  for (int round = 1; round <= rounds; round++) {
                    await(begun, round);
                    table.write(12, 4, 0);
                    done.set(round);
                  }
                });
    for (int round = 1; round <= rounds; round++) {
      table.write(12, 4, 1);
      begun.set(round);
      for (int delay = round % 40; delay > 0; delay--) { // moves the raise across the unmask
        Thread.onSpinWait();
      }
      table.raise(0);
      await(done, round);
      assertThat(messages.getAndSet(0)).as("round %d", round).isEqualTo(1);
    }
    guest.join(TimeUnit.SECONDS.toMillis(300));
  }

  private static void await(final AtomicInteger counter, final int wanted) {
    final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(300);
    for (int spins = 0; counter.get() < wanted; spins++) {
      if (spins > 1000) {
        Thread.yield();
      }
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("the other thread has not come to round " + wanted);
      }
    }
  }
}
