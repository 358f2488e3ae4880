package io.carom.machine.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.machine.Seed;
import io.carom.machine.ram.Ram;
import io.carom.memory.AddressMap.Mapping;
import io.carom.memory.MmioHandler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AddressSpaceMapTest {
  private static final long BAR = 0xC000_0000L;

  private final AddressSpaceMap map = new AddressSpaceMap(new Ram(1 << 20, 1 << 20));
  private final List<String> accesses = new ArrayList<>();
  private final MmioHandler handler =
      new MmioHandler() {
        @Override
        public long read(final long offset, final int width) {
          accesses.add("read " + offset + "/" + width);
          return 0x1122_3344_5566_7788L;
        }

        @Override
        public void write(final long offset, final int width, final long value) {
          accesses.add("write " + offset + "/" + width + " " + Long.toHexString(value));
        }
      };

  @Test
  void ramIsLittleEndian() {
    map.write(0x100, 8, 0x1122_3344_5566_7788L);
    assertThat(map.read(0x100, 1)).isEqualTo(0x88);
    assertThat(map.read(0x102, 2)).isEqualTo(0x5566);
    assertThat(map.read(0x104, 4)).isEqualTo(0x1122_3344L);
    map.write(0x101, 1, 0xfff);
    map.write(0x102, 2, -1);
    assertThat(map.read(0x100, 4)).isEqualTo(0xffff_ff88L);
    map.write(1L << 32, 4, 5);
    assertThat(map.read(1L << 32, 8)).isEqualTo(5);
  }

  @Test
  void whereNothingAnswersLoadsReadAllOnes() {
    map.write(BAR, 4, 1);
    assertThat(map.read(BAR, 1)).isEqualTo(0xff);
    assertThat(map.read(BAR, 2)).isEqualTo(0xffff);
    assertThat(map.read(BAR, 4)).isEqualTo(0xffff_ffffL);
    assertThat(map.read(-8, 8)).isEqualTo(-1);
    assertThat(map.read(0xFEE0_0000L, 4)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void otherWidthsAndMisalignedAddressesAreRefused() {
    for (final int width : new int[] {0, 3, 5, 16, -4}) {
      assertThatThrownBy(() -> map.read(0, width)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> map.write(0, width, 0)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> map.read(2, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0x2");
  }

  @Test
  void registersGetOffsetsAndTheValueIsCutToItsWidth() {
    final Mapping mapping = map.registers("uart", BAR, 0x1000, handler);
    assertThat(map.read(BAR + 0x10, 2)).isEqualTo(0x7788);
    map.write(BAR + 0xffc, 4, -1);
    assertThat(map.read(BAR + 0x1000, 4)).isEqualTo(0xffff_ffffL);
    assertThat(accesses).containsExactly("read 16/2", "write 4092/4 ffffffff");
    mapping.close();
    mapping.close();
    assertThat(map.read(BAR + 0x10, 2)).isEqualTo(0xffff);
  }

  @Test
  void memoryIsPlainAndCanBeMapped() {
    final MemorySegment memory = Arena.ofAuto().allocate(0x2000);
    final Mapping mapping = map.memory("region", 0x80_0000_0000L, memory);
    map.write(0x80_0000_1ff8L, 8, 0xabcd);
    assertThat(memory.get(ValueLayout.JAVA_INT, 0x1ff8)).isEqualTo(0xabcd);
    assertThat(map.map(0x80_0000_1ff8L, 8).orElseThrow().byteSize()).isEqualTo(8);
    assertThat(map.map(0x80_0000_1ff8L, 9)).isEmpty();
    assertThat(map.map(0x80_0000_1ff8L, Long.MAX_VALUE)).isEmpty();
    assertThat(map.map(0x80_0000_0000L, 0)).isEmpty();
    assertThat(map.map(0x1000, 0x1000)).isPresent();
    map.registers("uart", BAR, 0x1000, handler);
    assertThat(map.map(BAR, 4)).isEmpty();
    mapping.close();
    assertThat(map.map(0x80_0000_0000L, 8)).isEmpty();
  }

  @Test
  void overlapsAreRefusedAndNameBoth() {
    final Mapping first = map.registers("uart", BAR, 0x1000, handler);
    assertThatThrownBy(() -> map.registers("rtc", BAR + 0xff8, 0x10, handler))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("rtc")
        .hasMessageContaining("uart");
    assertThatThrownBy(() -> map.registers("rtc", BAR - 8, 0x10, handler))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> map.registers("rtc", 0xF_F000, 0x2000, handler))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("RAM");
    assertThatThrownBy(() -> map.registers("rtc", 0xFEE0_0000L, 8, handler))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("message window");
    for (final long size : new long[] {0, -1, Long.MAX_VALUE}) {
      assertThatThrownBy(() -> map.registers("rtc", 0xD000_0000L, size, handler))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> map.registers("rtc", -16, 8, handler))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> map.registers("rtc", 0xD000_0004L, 8, handler))
        .isInstanceOf(IllegalArgumentException.class);
    first.close();
    map.registers("rtc", BAR + 0xff8, 0x10, handler).close();
  }

  @Test
  void lookupsAgreeWithALinearSearch() {
    final Random random = Seed.random("AddressSpaceMapTest");
    final Mapping[] mappings = new Mapping[64]; // 64 slots of 0x100 bytes, any of them mapped
    final long[] sizes = new long[64];
    for (int step = 0; step < 5000; step++) {
      final int slot = random.nextInt(64);
      if (mappings[slot] == null) {
        sizes[slot] = 8L * (1 + random.nextInt(32));
        mappings[slot] = map.registers("slot " + slot, BAR + slot * 0x100L, sizes[slot], handler);
      } else {
        mappings[slot].close();
        mappings[slot] = null;
        sizes[slot] = 0;
      }
      final int probe = random.nextInt(64);
      final long offset = 8L * random.nextInt(32);
      final boolean mapped = offset < sizes[probe];
      final long address = BAR + probe * 0x100L + offset;
      assertThat(map.read(address, 8)).isEqualTo(mapped ? 0x1122_3344_5566_7788L : -1L);
      assertThat(map.occupied(address, 8)).isEqualTo(mapped);
    }
  }

  @Test
  void occupiedSeesPartsOfARun() {
    map.registers("uart", BAR, 0x1000, handler);
    assertThat(map.occupied(BAR - 1, 1)).isFalse();
    assertThat(map.occupied(BAR - 1, 2)).isTrue();
    assertThat(map.occupied(BAR + 0xfff, Long.MAX_VALUE)).isTrue();
    assertThat(map.occupied(-1, 1)).isFalse();
  }
}
