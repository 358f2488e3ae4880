package io.carom.machine.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.DeviceRecord;
import io.carom.virtio.RingRecord;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioState.QueueState;
import io.carom.virtio.VirtioState.Selects;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class RecordStoreTest {
  private static final int SIZE = 8;

  private final RecordStore store = new RecordStore();
  private final MemorySegment memory = Arena.ofAuto().allocate(64, 8);

  private static VirtioState state(final int status) {
    final QueueState queue = new QueueState(SIZE, true, 1, 0x1000, 0x2000, 0x3000, 99, 98);
    return new VirtioState(
        VirtioState.VERSION,
        2,
        3,
        1,
        status,
        0,
        0,
        Selects.NONE,
        new byte[] {1},
        List.of(queue, queue),
        Map.of("a", "b"));
  }

  private VirtioState keptNow() {
    return Objects.requireNonNull(store.claim("vda").kept());
  }

  private QueueState queueNow() {
    return keptNow().queues().getFirst();
  }

  private int index() {
    return memory.get(ValueLayout.JAVA_SHORT, 2) & 0xffff;
  }

  @Test
  @DisplayName("a new device has nothing kept; the next claim finds what was")
  void claims() {
    final DeviceRecord first = store.claim("vda");
    assertThat(first.kept()).isNull();
    assertThat(first.isVoid()).isFalse();
    assertThat(first.keep(state(7))).isTrue();
    final DeviceRecord second = store.claim("vda");
    assertThat(second.kept()).isNotNull().extracting(VirtioState::status).isEqualTo(7);
    assertThat(store.claim("vdb").kept()).isNull();
    assertThat(first.isVoid()).isTrue();
    assertThat(second.isVoid()).isFalse();
  }

  @Test
  @DisplayName("a void record changes nothing")
  void voidRecord() {
    final DeviceRecord first = store.claim("vda");
    first.keep(state(7));
    final RingRecord ring = first.ring(0, SIZE, 5);
    ring.popped(3, 6);
    store.claim("vda");
    assertThat(first.keep(state(1))).isFalse();
    first.reset();
    assertThat(ring.publishIndex(memory, 2, (short) 6, 1, 6)).isFalse();
    assertThat(ring.publishWord(memory, 8, 77, 1, 6)).isFalse();
    assertThat(first.ring(0, SIZE, 0).publishIndex(memory, 2, (short) 9, 0, 9)).isFalse();
    assertThat(index()).isZero();
    assertThat(memory.get(ValueLayout.JAVA_LONG, 8)).isZero();
    assertThat(keptNow().status()).isEqualTo(7);
    assertThat(queueNow().inFlight()).containsExactly(3);
  }

  @Test
  @DisplayName("positions and heads are those of the rings, whatever the registers say")
  void positions() {
    final DeviceRecord record = store.claim("vda");
    final RingRecord ring = record.ring(0, SIZE, 65535);
    ring.popped(4, 0);
    ring.popped(7, 1);
    ring.popped(1, 2);
    ring.rewound(1, 1);
    record.keep(state(15));
    assertThat(ring.publishIndex(memory, 2, (short) 0, 1, 0)).isTrue();
    assertThat(index()).isZero();
    final VirtioState kept = keptNow();
    assertThat(kept.queues().getFirst())
        .isEqualTo(new QueueState(SIZE, true, 1, 0x1000, 0x2000, 0x3000, 1, 0, List.of(7)));
    assertThat(kept.queues().get(1)).as("without a ring").isEqualTo(state(0).queues().get(1));
    assertThat(kept.config()).isEqualTo(new byte[] {1});
    assertThat(kept.backend()).isEqualTo(Map.of("a", "b"));
  }

  @Test
  @DisplayName("what nobody took over yet is found by the next one, too")
  void claimedTwice() {
    final DeviceRecord record = store.claim("vda");
    record.ring(0, SIZE, 0).popped(4, 1);
    record.keep(state(15));
    assertThat(queueNow().inFlight()).containsExactly(4);
    assertThat(queueNow().inFlight()).containsExactly(4);
    store.claim("vda").ring(0, SIZE, 3);
    assertThat(queueNow().inFlight()).as("a ring that begins anew").isEmpty();
    assertThat(queueNow().nextUsed()).isEqualTo(3);
  }

  @Test
  @DisplayName("a device goes on in its own place, unless another has claimed it")
  void renewed() {
    final DeviceRecord first = store.claim("vda");
    final RingRecord ring = first.ring(0, SIZE, 0);
    ring.popped(4, 1);
    first.keep(state(15));
    final DeviceRecord second = Objects.requireNonNull(first.renew());
    final VirtioState kept = Objects.requireNonNull(second.kept());
    assertThat(kept.queues().getFirst().inFlight()).containsExactly(4);
    assertThat(first.isVoid()).isTrue();
    assertThat(ring.publishIndex(memory, 2, (short) 1, 1, 1)).as("of before").isFalse();
    assertThat(first.renew()).isNull();
    final DeviceRecord third = store.claim("vda");
    assertThat(second.renew()).isNull();
    assertThat(third.isVoid()).isFalse();
  }

  @Test
  @DisplayName("a reset, and forgetting, leave nothing")
  void resetAndForget() {
    final DeviceRecord record = store.claim("vda");
    record.keep(state(15));
    final RingRecord ring = record.ring(0, SIZE, 0);
    record.reset();
    assertThat(ring.publishIndex(memory, 2, (short) 1, 0, 1)).as("of before").isFalse();
    assertThat(record.keep(state(1))).isTrue();
    store.forget("vda");
    assertThat(record.isVoid()).isTrue();
    assertThat(record.keep(state(1))).isFalse();
    assertThat(store.claim("vda").kept()).isNull();
    store.forget("nobody");
  }

  @Test
  @DisplayName("a table says what a simple model of it says")
  void table() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    System.out.println("ring table: -Dcarom.seed=" + seed);
    final Random random = new Random(seed);
    final DeviceRecord record = store.claim("vda");
    record.keep(state(15));
    final RingRecord ring = record.ring(0, SIZE, 0);
    final Deque<Integer> model = new ArrayDeque<>();
    int avail = 0;
    int used = 0;
    for (int i = 0; i < 10_000; i++) {
      final int what = random.nextInt(3);
      if (what == 0 && model.size() < SIZE) {
        final int head = random.nextInt(0x10000);
        avail++;
        model.addLast(head);
        ring.popped(head, avail);
      } else if (what == 1 && !model.isEmpty()) {
        final int chains = 1 + random.nextInt(model.size());
        for (int n = 0; n < chains; n++) {
          model.removeLast();
        }
        avail -= chains;
        ring.rewound(chains, avail);
      } else if (what == 2 && !model.isEmpty()) {
        final int chains = 1 + random.nextInt(model.size());
        for (int n = 0; n < chains; n++) {
          model.removeFirst();
        }
        used += chains;
        assertThat(ring.publishWord(memory, 8, used, chains, used)).isTrue();
        assertThat(memory.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(used);
      }
      final QueueState now = ((RingTable) ring).in(state(15).queues().getFirst());
      assertThat(now.inFlight()).containsExactlyElementsOf(model);
      assertThat(now.nextAvail()).isEqualTo(avail);
      assertThat(now.nextUsed()).isEqualTo(used);
    }
  }
}
