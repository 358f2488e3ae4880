package io.carom.machine.platform;

import static io.carom.machine.platform.Rig.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.machine.Seed;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CacheStageTest {
  private static final long AT = 0x2000;
  private static final int SIZE = 256;

  private Rig rig = new Rig(Rig.calmCaches(false, 0));

  @Test
  void aDeviceReadsWhatWasCleanedAndNothingLater() {
    rig.store(AT, bytes(SIZE, 1));
    assertThat(rig.deviceReads(AT, SIZE)).as("in the cache").isEqualTo(new byte[SIZE]);
    rig.platform.forDevice(AT, SIZE, true, false);
    assertThat(rig.deviceReads(AT, SIZE)).isEqualTo(bytes(SIZE, 1));
    rig.platform.forCpu(AT, SIZE, false);
    rig.store(AT, bytes(SIZE, 2));
    assertThat(rig.deviceReads(AT, SIZE)).isEqualTo(bytes(SIZE, 1));
  }

  @Test
  void aCpuReadsWhatTheDeviceWroteAfterAnInvalidate() {
    rig.store(AT, bytes(SIZE, 1));
    rig.platform.forDevice(AT, SIZE, false, true);
    rig.deviceWrites(AT, bytes(SIZE / 2, 3));
    assertThat(rig.load(AT, SIZE)).as("stale").isEqualTo(bytes(SIZE, 1));
    rig.platform.forCpu(AT, SIZE, true);
    assertThat(rig.load(AT, SIZE / 2)).isEqualTo(bytes(SIZE / 2, 3));
    assertThat(rig.load(AT + SIZE / 2, SIZE / 2))
        .as("what the device left out is as it was")
        .isEqualTo(Arrays.copyOfRange(bytes(SIZE, 1), SIZE / 2, SIZE));
    assertThat(rig.platform.counters().cpuLinesLost()).isZero();
    assertThat(rig.platform.counters().deviceLinesLost()).isZero();
  }

  @Test
  void coherentMemoryIsSeenByBothAtOnce() {
    rig.platform.uncached().set(ValueLayout.JAVA_BYTE, AT, (byte) 7);
    assertThat(rig.deviceReads(AT, 1)).containsExactly(7);
    rig.deviceWrites(AT, new byte[] {8});
    assertThat(rig.platform.uncached().get(ValueLayout.JAVA_BYTE, AT))
        .isEqualTo((byte) 8);
    assertThat(rig.platform.coherent()).isFalse();
  }

  @Test
  void whatACpuStoresToTheDevicesBufferIsLostAndCounted() {
    rig.platform.forDevice(AT, SIZE, false, true);
    rig.store(AT + 64, bytes(8, 1));
    rig.deviceWrites(AT, bytes(SIZE, 3));
    rig.platform.forCpu(AT, SIZE, true);
    assertThat(rig.load(AT, SIZE)).isEqualTo(bytes(SIZE, 3));
    assertThat(rig.platform.counters().cpuLinesLost()).isEqualTo(1);
  }

  @Test
  void ofTwoWhoShareALineOneLoses() {
    rig.platform.forDevice(AT, 96, false, true); // ends in the middle of a line
    rig.deviceWrites(AT, bytes(96, 3));
    rig.store(AT + 120, bytes(8, 9)); // somebody else's bytes, in that line
    rig.platform.forCpu(AT, 96, true);
    assertThat(rig.load(AT, 64)).isEqualTo(bytes(64, 3));
    assertThat(rig.load(AT + 120, 8)).as("the neighbour keeps its bytes").isEqualTo(bytes(8, 9));
    assertThat(rig.load(AT + 64, 32)).as("the device lost its own").isEqualTo(new byte[32]);
    assertThat(rig.platform.counters().deviceLinesLost()).isEqualTo(1);
  }

  @Test
  void theSamePatternOnLinesOfItsOwnLosesNothing() {
    rig.platform.forDevice(AT, 128, false, true);
    rig.deviceWrites(AT, bytes(96, 3));
    rig.store(AT + 128, bytes(8, 9));
    rig.platform.forCpu(AT, 128, true);
    assertThat(rig.load(AT, 96)).isEqualTo(bytes(96, 3));
    assertThat(rig.load(AT + 128, 8)).isEqualTo(bytes(8, 9));
    assertThat(rig.platform.counters().deviceLinesLost()).isZero();
  }

  @Test
  void speculationFillsLinesBeforeTheDeviceHasWrittenAll() {
    rig = new Rig(new PlatformSettings(0, List.of(), 0, true, false, 1000, 0, 0, 5));
    rig.platform.forDevice(AT, 64, false, true);
    rig.deviceWrites(AT, bytes(32, 3));
    rig.deviceWrites(AT + 32, bytes(16, 4)); // in between the line was filled
    assertThat(rig.load(AT, 32)).as("of now").isEqualTo(bytes(32, 3));
    assertThat(rig.load(AT + 32, 16)).as("of before").isEqualTo(new byte[16]);
    rig.platform.forCpu(AT, 64, true);
    assertThat(rig.load(AT + 32, 16)).isEqualTo(bytes(16, 4));
    assertThat(rig.platform.counters().refilled()).isPositive();
  }

  @Test
  void anEvictionWritesOverTheDevicesBytesWhereNobodyCleaned() {
    rig = new Rig(new PlatformSettings(0, List.of(), 0, true, false, 0, 1000, 0, 5));
    rig.platform.forDevice(AT, 64, false, true);
    rig.store(AT, bytes(64, 1)); // against the rules: the line is the device's
    rig.deviceWrites(AT, bytes(64, 3)); // and is evicted when the device comes, or after it
    rig.platform.accessed();
    assertThat(rig.platform.counters().evicted()).isEqualTo(1);
    rig.platform.forDevice(AT, 64, true, false);
    rig.platform.forCpu(AT, 64, false);
    rig.store(AT, bytes(64, 8)); // the CPU's again, and evicted without being asked
    rig.platform.accessed();
    assertThat(rig.deviceReads(AT, 64)).isEqualTo(bytes(64, 8));
  }

  @Test
  void anAliasHasLinesOfItsOwnOnlyWhereTheyAreFoundByVirtualAddress() {
    for (final boolean virtual : new boolean[] {false, true}) {
      rig = new Rig(Rig.calmCaches(virtual, 0));
      try (VirtualAlias alias = rig.platform.alias(AT, SIZE)) {
        alias.memory().copyFrom(MemorySegment.ofArray(bytes(SIZE, 1)));
        rig.platform.forDevice(AT, SIZE, true, false); // by the kernel's own mapping
        assertThat(rig.deviceReads(AT, SIZE))
            .isEqualTo(virtual ? new byte[SIZE] : bytes(SIZE, 1));
        rig.platform.forCpu(AT, SIZE, false);
        alias.clean();
        assertThat(rig.deviceReads(AT, SIZE)).isEqualTo(bytes(SIZE, 1));

        rig.platform.forDevice(AT, SIZE, false, true);
        rig.deviceWrites(AT, bytes(SIZE, 3));
        rig.platform.forCpu(AT, SIZE, true);
        assertThat(rig.load(AT, SIZE)).isEqualTo(bytes(SIZE, 3));
        assertThat(alias.memory().toArray(ValueLayout.JAVA_BYTE))
            .isEqualTo(bytes(SIZE, virtual ? 1 : 3));
        alias.invalidate();
        assertThat(alias.memory().toArray(ValueLayout.JAVA_BYTE))
            .isEqualTo(bytes(SIZE, 3));
      }
    }
  }

  @Test
  void aDirtyAliasIsEvictedOverTheDevicesBytes() {
    rig = new Rig(new PlatformSettings(0, List.of(), 0, true, true, 0, 1000, 0, 5));
    final VirtualAlias alias = rig.platform.alias(AT, 64);
    alias.memory().copyFrom(MemorySegment.ofArray(bytes(64, 1)));
    rig.platform.accessed();
    assertThat(rig.deviceReads(AT, 64)).isEqualTo(bytes(64, 1));
    alias.close();
    alias.memory().copyFrom(MemorySegment.ofArray(bytes(64, 2)));
    rig.platform.accessed();
    assertThat(rig.deviceReads(AT, 64)).as("forgotten").isEqualTo(bytes(64, 1));
  }

  @Test
  void ownedRunsAreSplitAndEndWithTheirParts() {
    final OwnedRuns runs = new OwnedRuns();
    final Random random = Seed.random("ownedRuns");
    runs.add(0, 1024);
    runs.add(64, 128); // within
    runs.remove(128, 512);
    for (int i = 0; i < 1000; i++) {
      final long line = runs.ownedLine(random);
      assertThat(line % 64).isZero();
      assertThat(line < 128 || (line >= 512 && line < 1024)).as("line %d", line).isTrue();
    }
    runs.remove(0, 1024);
    assertThat(runs.ownedLine(random)).isEqualTo(-1);
    assertThat(runs.touchedLine(random)).isBetween(0L, 1023L);
    runs.add(10, 50);
    assertThat(runs.ownedLine(random)).as("no whole line").isEqualTo(-1);
  }
}
