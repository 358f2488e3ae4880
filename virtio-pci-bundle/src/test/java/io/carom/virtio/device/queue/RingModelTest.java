package io.carom.virtio.device.queue;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.PackedDriver;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Seed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random traffic against a model that is two lists: what the driver offered and the device must
 * find, in that order, and what the device returned and the driver must find. Indices and wrap
 * counters turn over many times; an index of 2^16 in the long rows.
 */
class RingModelTest {
  private static final long TABLES = 0x80000;
  private static final long DATA = 0x200000;

  /** A chain: its descriptors, the head first, and its buffers. */
  private record Chain(List<Integer> numbers, List<Buffer> buffers) {
    int head() {
      return numbers.getFirst();
    }

    long writable() {
      return buffers.stream().filter(Buffer::writable).mapToLong(Buffer::length).sum();
    }
  }

  private record Buffer(long address, int length, boolean writable) {}

  private record Returned(int head, int length, boolean complete) {}

  @ParameterizedTest
  @CsvSource({
    "SPLIT, 1, 3000",
    "SPLIT, 2, 3000",
    "SPLIT, 32, 70000",
    "SPLIT_IN_ORDER, 1, 3000",
    "SPLIT_IN_ORDER, 16, 70000",
    "PACKED, 1, 3000",
    "PACKED, 2, 3000",
    "PACKED, 7, 5000",
    "PACKED, 33, 70000",
    "PACKED_IN_ORDER, 1, 3000",
    "PACKED_IN_ORDER, 5, 5000",
    "PACKED_IN_ORDER, 32, 9000"
  })
  void r3k1k2k3k6DeviceFindsWhatWasOfferedAndDriverWhatWasReturned(
      final Rings kind, final int size, final int chains) throws QueueException {
    final Random random = Seed.random("ring model " + kind + " " + size);
    new Model(kind, size, random).run(chains);
  }

  private static final class Model {
    private final Rings kind;
    private final Random random;
    private final RingRig<DriverRing> rig;
    private final int size;

    /** Descriptors, or numbers of lists, that are the driver's now. */
    private final BitSet free = new BitSet();

    private int room;
    private final Deque<Chain> offered = new ArrayDeque<>();
    private final List<DescriptorChain> popped = new ArrayList<>();
    private final List<Chain> poppedChains = new ArrayList<>();
    private final Deque<Returned> returned = new ArrayDeque<>();
    private final List<Chain> outstanding = new ArrayList<>();
    private int seen;
    private int total;

    Model(final Rings kind, final int size, final Random random) throws QueueException {
      this.kind = kind;
      this.random = random;
      this.size = size;
      rig = RingRig.of(kind, size, VirtioFeatures.INDIRECT_DESC);
      free.set(0, size);
      room = size;
    }

    private boolean inOrder() {
      return (kind.features & VirtioFeatures.IN_ORDER) != 0;
    }

    void run(final int chains) throws QueueException {
      while (total < chains || !outstanding.isEmpty()) {
        switch (random.nextInt(4)) {
          case 0 -> {
            for (int i = random.nextInt(4); i >= 0 && total < chains; i--) {
              offer();
            }
          }
          case 1 -> pop(random.nextInt(5));
          case 2 -> giveBack();
          default -> reap();
        }
      }
      assertThat(rig.pop()).isFalse();
      assertThat(rig.queue.nextAvail()).isEqualTo(rig.queue.nextUsed());
      assertThat(seen).isEqualTo(chains);
    }

    private void offer() {
      final boolean indirect = random.nextInt(4) == 0;
      if (room == 0) {
        return;
      }
      final int count = 1 + random.nextInt(Math.min(indirect ? size : room, 5));
      final int slots = indirect ? 1 : count;
      final List<Integer> numbers = new ArrayList<>();
      for (int i = free.nextSetBit(0); numbers.size() < slots; i = free.nextSetBit(i + 1)) {
        numbers.add(i);
      }
      numbers.forEach(free::clear);
      room -= slots;
      final int readable = random.nextInt(count + 1);
      final List<Buffer> buffers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        final int length = 1 + random.nextInt(200);
        buffers.add(new Buffer(DATA + random.nextInt(1 << 20), length, i >= readable));
      }
      final int head = numbers.getFirst();
      final long table = TABLES + 16L * 32 * head + 4;
      for (int i = 0; i < count; i++) {
        final Buffer buffer = buffers.get(i);
        final boolean last = i + 1 == count;
        final int flags = (buffer.writable ? WRITE : 0) | (last ? 0 : NEXT);
        if (indirect) {
          rig.ring.table(table, i, buffer.address, buffer.length, flags, i + 1);
        } else {
          final int next = last ? 0 : numbers.get(i + 1);
          rig.ring.desc(numbers.get(i), buffer.address, buffer.length, flags, next);
        }
      }
      if (indirect) {
        rig.ring.desc(head, table, 16L * count, INDIRECT, 0);
      }
      rig.ring.offer(head);
      final Chain chain = new Chain(numbers, buffers);
      offered.add(chain);
      outstanding.add(chain);
      total++;
    }

    private void pop(final int most) throws QueueException {
      int taken = 0;
      for (int i = 0; i < most; i++) {
        final DescriptorChain chain = new DescriptorChain();
        if (!rig.queue.pop(rig.session, chain)) {
          assertThat(offered).isEmpty();
          break;
        }
        final Chain wanted = offered.remove();
        check(chain, wanted);
        popped.add(chain);
        poppedChains.add(wanted);
        taken++;
      }
      if (random.nextInt(8) == 0) { // gives some of them up again
        final int up = random.nextInt(taken + 1);
        rig.queue.rewind(up);
        for (int i = 0; i < up; i++) {
          popped.removeLast();
          offered.addFirst(poppedChains.removeLast());
        }
      }
    }

    private void check(final DescriptorChain chain, final Chain wanted) {
      assertThat(chain.head()).isEqualTo(wanted.head());
      long readable = 0;
      for (final Buffer buffer : wanted.buffers) {
        if (!buffer.writable) {
          readable += buffer.length;
        }
      }
      assertThat(chain.readableBytes()).isEqualTo(readable);
      assertThat(chain.writableBytes()).isEqualTo(wanted.writable());
      assertThat(chain.segments()).isEqualTo(wanted.buffers.size());
      for (final Buffer buffer : wanted.buffers) {
        final ChainCursor cursor = buffer.writable ? chain.writer() : chain.reader();
        assertThat(cursor.piece(cursor.remaining())).isEqualTo(buffer.length);
        assertThat(cursor.offset()).isEqualTo(buffer.address);
        assertThat(cursor.memory()).isSameAs(rig.bus.ram);
      }
    }

    private void giveBack() {
      int count = random.nextInt(popped.size() + 1);
      final int before = returned.size();
      while (count-- > 0) {
        final int which = inOrder() ? 0 : random.nextInt(popped.size());
        final DescriptorChain chain = popped.remove(which);
        final Chain model = poppedChains.remove(which);
        final long written =
            switch (random.nextInt(4)) {
              case 0 -> 0;
              case 1 -> model.writable() == 0 ? 0 : random.nextLong(model.writable() + 1);
              default -> model.writable();
            };
        rig.push(chain, written);
        returned.add(new Returned(model.head(), (int) written, written == model.writable()));
      }
      assertThat(rig.queue.publish()).isEqualTo(returned.size() > before);
    }

    private void reap() {
      final int index = rig.ring.usedIndex();
      while ((seen - index & 0xffff) != 0) {
        final Returned wanted = returned.remove();
        if (inOrder() && rig.ring instanceof DriverQueue) {
          reapSplitInOrder(wanted);
        } else {
          final int length = rig.ring.usedLength(seen);
          if (length == -1) {
            assertThat(inOrder() && wanted.complete).as("skipped").isTrue();
          } else {
            assertThat(length).isEqualTo(wanted.length);
            if (rig.ring instanceof PackedDriver packed) {
              assertThat((packed.usedFlags(seen) & WRITE) != 0).isEqualTo(length != 0);
            }
          }
          assertThat(rig.ring.usedId(seen)).isEqualTo(wanted.head);
          reaped(wanted.head);
        }
      }
    }

    /** One entry: it is the first of its batch, and names the last. */
    private void reapSplitInOrder(final Returned first) {
      final int last = rig.ring.usedId(seen);
      final int length = rig.ring.usedLength(seen);
      Returned now = first;
      while (now.head != last) {
        assertThat(now.complete).as("skipped").isTrue();
        reaped(now.head);
        now = returned.remove();
      }
      assertThat(length).isEqualTo(now.length);
      reaped(now.head);
    }

    private void reaped(final int head) {
      for (int i = 0; i < outstanding.size(); i++) {
        if (outstanding.get(i).head() == head) {
          final Chain chain = outstanding.remove(i);
          room += chain.numbers.size();
          chain.numbers.forEach(free::set);
          seen++;
          return;
        }
      }
      throw new AssertionError("head " + head + " is not outstanding");
    }
  }
}
