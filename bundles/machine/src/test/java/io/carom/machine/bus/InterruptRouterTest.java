package io.carom.machine.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.pci.InterruptSink;
import io.carom.pci.PciAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class InterruptRouterTest {
  private static final PciAddress DISK = new PciAddress(0, 4, 0);

  private final InterruptRouter router = new InterruptRouter();
  private final List<String> seen = new ArrayList<>();
  private final InterruptSink sink =
      new InterruptSink() {
        @Override
        public void message(final long address, final int data) {
          seen.add("message " + Long.toHexString(address) + " " + data);
        }

        @Override
        public void line(final PciAddress source, final int pin, final boolean asserted) {
          seen.add("line " + source + " " + pin + " " + asserted);
        }
      };

  @Test
  void messagesWaitForTheGuestOncePerDataValue() {
    router.message(0xFEE0_0000L, 1);
    router.message(0xFEE0_0000L, 2);
    router.message(0xFEE0_0000L, 1);
    router.sink(sink);
    assertThat(seen).containsExactly("message fee00000 1", "message fee00000 2");
    router.message(0xFEE0_1000L, 1);
    router.message(0xFEE0_1000L, 1);
    assertThat(seen).hasSize(4);
    router.sink(null);
    router.message(0xFEE0_0000L, 7);
    assertThat(seen).hasSize(4);
    router.sink(sink);
    assertThat(seen).hasSize(5).last().isEqualTo("message fee00000 7");
    router.sink(sink);
    assertThat(seen).as("nothing twice").hasSize(5);
  }

  @Test
  void aNewGuestSeesTheLinesThatAreAsserted() {
    router.line(DISK, 0, true);
    router.line(DISK, 1, true);
    router.line(DISK, 1, false);
    router.sink(sink);
    assertThat(seen).containsExactly("line 00:04.0 0 true");
    router.line(DISK, 0, true);
    assertThat(seen).as("no change").hasSize(1);
    router.line(DISK, 0, false);
    assertThat(seen).hasSize(2).last().isEqualTo("line 00:04.0 0 false");
  }

  @Test
  void theNumberOfWaitingMessagesIsBounded() {
    for (int data = 0; data < 10_000; data++) {
      router.message(0xFEE0_0000L, data);
    }
    router.message(0xFEE0_2000L, 3); // an old value may still change
    router.sink(sink);
    assertThat(seen).hasSize(4096).contains("message fee02000 3");
  }

  @Test
  void noMessageIsLostWhileTheGuestComesAndGoes() throws InterruptedException {
    final AtomicInteger received = new AtomicInteger();
    final InterruptSink counting =
        new InterruptSink() {
          @Override
          public void message(final long address, final int data) {
            received.incrementAndGet();
          }

          @Override
          public void line(final PciAddress source, final int pin, final boolean asserted) {}
        };
    final int messages = 4000; // below the bound, each with its own data value
    final Thread device =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int data = 0; data < messages; data++) {
                    router.message(0xFEE0_0000L, data);
                  }
                });
    while (device.isAlive()) {
      router.sink(counting);
      router.sink(null);
    }
    device.join();
    router.sink(counting);
    assertThat(received).hasValue(messages);
  }
}
