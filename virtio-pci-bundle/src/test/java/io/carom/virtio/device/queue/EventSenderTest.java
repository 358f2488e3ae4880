package io.carom.virtio.device.queue;

import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Filling of buffers by the device, on rings of all kinds. */
@ParameterizedClass
@EnumSource(Rings.class)
class EventSenderTest {
  private static final int SIZE = 8;
  private static final int BYTES = 16;

  private final FakeBus bus = new FakeBus(0);
  private final DriverRing ring;
  private final List<String> broken = new ArrayList<>();
  private final EventSender sender;
  private int notified;

  EventSenderTest(final Rings kind) throws QueueException {
    ring = kind.make(bus, SIZE, RingRig.RING);
    sender =
        new EventSender(
            0,
            new QueueHost() {
              @Override
              public boolean serving() {
                return true;
              }

              @Override
              public boolean notifyUsed(final int queue) {
                notified++;
                return true;
              }

              @Override
              public void broken(final int queue, final String reason) {
                broken.add(reason);
              }
            },
            queue -> {});
    sender.start("events", bus::open);
    sender.activate(
        QueueLayouts.of(kind.features).open(RingRig.setup(ring, kind.features)), chain -> {});
  }

  private void offer(final int... heads) {
    for (final int head : heads) {
      ring.desc(head, RingRig.DATA + (long) BYTES * head, BYTES, WRITE, 0);
      ring.offer(head);
    }
  }

  private byte[] data(final int head) {
    return bus.ram
        .asSlice(RingRig.DATA + (long) BYTES * head, BYTES)
        .toArray(ValueLayout.JAVA_BYTE);
  }

  /** Fills so many chains, each with its number; keeps them or not. */
  private boolean fill(final int chains, final boolean keep) {
    return sender.fill(
        supply -> {
          for (int i = 0; i < chains; i++) {
            final DescriptorChain chain = supply.next();
            if (chain == null) {
              return false;
            }
            chain.writer().put(new byte[] {(byte) (i + 1)}, 0, 1);
            chain.wrote(BYTES);
          }
          return keep;
        });
  }

  @Test
  void whatWasFilledGoesBackTogether() {
    offer(3, 1, 4);
    assertThat(fill(2, true)).isTrue();
    assertThat(ring.usedIndex()).isEqualTo(2);
    assertThat(data(3)[0]).isEqualTo((byte) 1);
    assertThat(data(1)[0]).isEqualTo((byte) 2);
    assertThat(notified).isEqualTo(1);
    assertThat(sender.popped()).isEqualTo(2);
  }

  @Test
  void whatIsNotKeptStaysAvailable() {
    offer(3, 1);
    assertThat(fill(3, true)).as("not enough buffers").isFalse();
    assertThat(fill(2, false)).isFalse();
    assertThat(ring.usedIndex()).isZero();
    assertThat(notified).isZero();
    offer(5);
    assertThat(fill(3, true)).isTrue();
    assertThat(ring.usedIndex()).isEqualTo(3);
    assertThat(broken).isEmpty();
    assertThat(sender.popped()).isEqualTo(sender.returned()).isEqualTo(3);
  }

  @Test
  void sendTakesOneBufferAndGivesATooSmallOneBackEmpty() {
    offer(3, 1, 4);
    assertThat(sender.send(new byte[] {9, 8})).isTrue();
    assertThat(sender.send(new byte[BYTES + 1])).isFalse();
    assertThat(sender.send(new byte[BYTES])).isTrue();
    assertThat(sender.send(new byte[1])).as("no buffer").isFalse();
    assertThat(ring.usedIndex()).isEqualTo(3);
    assertThat(data(3)).startsWith(9, 8);
    assertThat(ring.usedLength(0)).isEqualTo(2);
    assertThat(ring.usedLength(1)).isZero();
  }

  @Test
  void chainsAreOverWhenTheFillingIs() {
    offer(3);
    final List<ChainSupply> kept = new ArrayList<>();
    sender.fill(kept::add);
    assertThatThrownBy(() -> kept.getFirst().next()).isInstanceOf(IllegalStateException.class);
    assertThat(fill(1, true)).isTrue();
  }

  @Test
  void aFillerThatThrowsTakesNothing() {
    offer(3);
    sender.fill(
        supply -> {
          supply.next();
          throw new QueueException("no");
        });
    assertThat(broken).containsExactly("no");
    sender.fill(
        supply -> {
          supply.next();
          throw new IllegalStateException("bug");
        });
    assertThat(broken).hasSize(2);
    assertThat(fill(1, true)).isTrue();
    assertThat(ring.usedIndex()).isEqualTo(1);
  }

  /** A reset of the queue alone: nothing of it is begun any more, and it may have a ring again. */
  @Test
  void s8RetiredQueueServesNothing() throws QueueException {
    offer(3);
    final VirtQueue old = sender.ring();
    sender.retire();
    assertThat(fill(1, true)).isFalse();
    assertThat(sender.outside()).isTrue();
    sender.deactivate();
    assertThat(ring.usedIndex()).isZero();
    sender.activate(Objects.requireNonNull(old), chain -> {});
    assertThat(fill(1, true)).isTrue();
  }
}
