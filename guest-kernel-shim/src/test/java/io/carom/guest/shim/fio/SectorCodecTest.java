package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.shim.fio.SectorCodec.Verdict;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class SectorCodecTest {
  private final MemorySegment memory = Arena.ofAuto().allocate(2048);
  private final ByteBuffer bytes = memory.asByteBuffer();
  private final SectorCodec codec = new SectorCodec();

  private Verdict check(final int offset, final long sector) {
    return codec.check(memory, bytes, offset, sector);
  }

  @Test
  void knowsASectorAgain() {
    codec.write(memory, bytes, 512, 77, 5, 1);

    assertThat(check(512, 77)).isEqualTo(Verdict.VALID);
    assertThat(codec.version()).isEqualTo(5);
    assertThat(codec.number()).isEqualTo(77);
  }

  @Test
  void catchesEveryFlippedBit() {
    codec.write(memory, bytes, 0, 77, 5, 1);

    for (int bit = 0; bit < 512 * 8; bit++) {
      flip(bit);
      assertThat(check(0, 77)).as("bit %d", bit).isIn(Verdict.DAMAGED, Verdict.FOREIGN);
      flip(bit);
    }
    assertThat(check(0, 77)).isEqualTo(Verdict.VALID);
  }

  private void flip(final int bit) {
    final byte was = memory.get(ValueLayout.JAVA_BYTE, bit / 8);
    memory.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (was ^ (1 << (bit % 8))));
  }

  @Test
  void tellsAnotherSector() {
    codec.write(memory, bytes, 0, 78, 5, 1);

    assertThat(check(0, 77)).isEqualTo(Verdict.MISPLACED);
    assertThat(codec.number()).isEqualTo(78);
  }

  @Test
  void catchesEveryTear() {
    codec.write(memory, bytes, 0, 77, 5, 1);
    codec.write(memory, bytes, 512, 77, 6, 1);

    for (int cut = 8; cut < 512; cut += 8) {
      MemorySegment.copy(memory, 0, memory, 1024, cut);
      MemorySegment.copy(memory, 512 + cut, memory, 1024 + cut, 512 - cut);
      final boolean sameTail = memory.asSlice(1024, 512).mismatch(memory.asSlice(0, 512)) == -1;
      final boolean sameHead = memory.asSlice(1024, 512).mismatch(memory.asSlice(512, 512)) == -1;
      assertThat(check(1024, 77) == Verdict.VALID)
          .as("cut %d", cut)
          .isEqualTo(sameTail || sameHead);
    }
  }

  @Test
  void everyWordDependsOnSectorVersionAndSeed() {
    codec.write(memory, bytes, 0, 77, 5, 1);
    for (final long[] other : new long[][] {{78, 5, 1}, {77, 6, 1}, {77, 5, 2}}) {
      codec.write(memory, bytes, 512, other[0], other[1], other[2]);
      for (int offset = 32; offset < 512; offset += 8) {
        assertThat(memory.get(ValueLayout.JAVA_LONG, offset))
            .isNotEqualTo(memory.get(ValueLayout.JAVA_LONG, 512 + offset));
      }
    }
  }

  @Test
  void zerosAreForeign() {
    assertThat(check(0, 0)).isEqualTo(Verdict.FOREIGN);
  }

  @Test
  void checksumsTheWholeSector() {
    codec.write(memory, bytes, 512, 77, 5, 1);
    final CRC32C crc = new CRC32C();
    crc.update(memory.asSlice(512, 512).toArray(ValueLayout.JAVA_BYTE));

    assertThat(codec.checksum(bytes, 512)).isEqualTo((int) crc.getValue());
  }
}
