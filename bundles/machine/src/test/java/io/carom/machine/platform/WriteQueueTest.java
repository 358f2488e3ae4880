package io.carom.machine.platform;

import static io.carom.machine.platform.Rig.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class WriteQueueTest {
  private static final long AT = 0x2000;

  @Test
  void onlyThePlatformsDrainLetsTheDeviceSee() {
    for (final boolean drained : new boolean[] {false, true}) {
      final Rig rig = new Rig(Rig.calmCaches(false, 8), drained);
      rig.store(AT, bytes(256, 1));
      rig.platform.forDevice(AT, 256, true, false); // all that a driver can do
      assertThat(rig.deviceReads(AT, 256)).isEqualTo(drained ? bytes(256, 1) : new byte[256]);
    }
  }

  @Test
  void theOldestLeaveByThemselves() {
    final Rig rig = new Rig(Rig.calmCaches(false, 2), false);
    rig.store(AT, bytes(256, 1));
    rig.platform.forDevice(AT, 256, true, false);
    final byte[] seen = rig.deviceReads(AT, 256);
    assertThat(Arrays.copyOf(seen, 128))
        .isEqualTo(Arrays.copyOf(bytes(256, 1), 128));
    assertThat(Arrays.copyOfRange(seen, 128, 256)).isEqualTo(new byte[128]);
    assertThat(rig.platform.counters().queued()).isEqualTo(4);
    assertThat(rig.platform.counters().overflowed()).isEqualTo(2);
  }

  @Test
  void aLineWrittenTwiceIsCombinedAndReadByWhoWroteIt() {
    final MemorySegment image = MemorySegment.ofArray(new byte[256]);
    final WriteQueue queue = new WriteQueue(image, 4);
    queue.write(64, MemorySegment.ofArray(bytes(64, 1)));
    queue.write(128, MemorySegment.ofArray(bytes(64, 2)));
    queue.write(64, MemorySegment.ofArray(bytes(64, 3)));
    assertThat(queue.waiting()).isEqualTo(2);
    final byte[] read = new byte[64];
    queue.read(64, MemorySegment.ofArray(read));
    assertThat(read).isEqualTo(bytes(64, 3));
    queue.read(0, MemorySegment.ofArray(read));
    assertThat(read).isEqualTo(new byte[64]);
    queue.drain();
    assertThat(queue.waiting()).isZero();
    assertThat(image.asSlice(64, 64).mismatch(MemorySegment.ofArray(bytes(64, 3)))).isEqualTo(-1);
    assertThat(image.asSlice(128, 64).mismatch(MemorySegment.ofArray(bytes(64, 2)))).isEqualTo(-1);
  }

  @Test
  void aloneItHoldsWritesBackFromDevicesToo() {
    final Rig rig = new Rig(new PlatformSettings(0, List.of(), 0, false, false, 0, 0, 16, 1));
    assertThat(rig.platform.coherent()).isFalse();
    rig.store(AT, bytes(256, 1));
    assertThat(rig.deviceReads(AT, 256)).isEqualTo(new byte[256]);
    rig.platform.forDevice(AT, 256, true, true);
    assertThat(rig.deviceReads(AT, 256)).isEqualTo(bytes(256, 1));
    rig.deviceWrites(AT, bytes(256, 2));
    rig.platform.forCpu(AT, 256, true);
    assertThat(rig.load(AT, 256)).isEqualTo(bytes(256, 2));
  }
}
