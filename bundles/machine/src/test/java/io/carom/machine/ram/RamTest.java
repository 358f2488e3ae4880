package io.carom.machine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.memory.RamRange;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class RamTest {
  private static final long MIB = 1 << 20;
  private static final long HIGH = 1L << 32;

  private final Ram ram = new Ram(MIB, 2 * MIB);

  @Test
  void lowIsAtZeroAndHighAtFourGiB() {
    assertThat(ram.ranges()).containsExactly(new RamRange(0, MIB), new RamRange(HIGH, 2 * MIB));
    assertThat(ram.size()).isEqualTo(ram.memory().byteSize()).isEqualTo(3 * MIB);
    assertThat(ram.offset(0, MIB)).isZero();
    assertThat(ram.offset(HIGH, 2 * MIB)).isEqualTo(MIB);
    assertThat(ram.offset(HIGH + 2 * MIB - 1, 1)).isEqualTo(3 * MIB - 1);
  }

  @Test
  void aRunMustBeInOneRangeAsAWhole() {
    assertThat(ram.offset(MIB - 1, 2)).isEqualTo(-1);
    assertThat(ram.offset(MIB, 1)).isEqualTo(-1);
    assertThat(ram.offset(HIGH - 1, 2)).isEqualTo(-1);
    assertThat(ram.offset(HIGH + 2 * MIB - 1, 2)).isEqualTo(-1);
  }

  @Test
  void noAddressOrLengthWrapsIntoRam() {
    for (final long address : new long[] {-1, -4096, Long.MIN_VALUE, Long.MAX_VALUE, HIGH - 1}) {
      assertThat(ram.offset(address, 1)).as("address %x", address).isEqualTo(-1);
    }
    for (final long length : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertThat(ram.offset(16, length)).as("length %x", length).isEqualTo(-1);
      assertThat(ram.offset(HIGH + 16, length)).as("length %x", length).isEqualTo(-1);
    }
  }

  @Test
  void offsetsGoBackToAddresses() {
    for (final long address : new long[] {0, MIB - 1, HIGH, HIGH + 2 * MIB - 1}) {
      assertThat(ram.address(ram.offset(address, 1))).isEqualTo(address);
    }
  }

  @Test
  void highRamMayBeAbsent() {
    final Ram small = new Ram(MIB, 0);
    assertThat(small.ranges()).hasSize(1);
    assertThat(small.offset(HIGH, 1)).isEqualTo(-1);
    assertThat(small.memory().get(ValueLayout.JAVA_BYTE, MIB - 1)).isZero();
  }

  @Test
  void lowRamEndsBelowTheHole() {
    assertThatThrownBy(() -> new Ram(0xC000_1000L, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Ram(0, MIB)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Ram(4097, 0)).isInstanceOf(IllegalArgumentException.class);
  }
}
