package io.carom.pcibus.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.pci.BarSpec;
import io.carom.pci.CapabilityAccess;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.MsixSpec;
import io.carom.pci.PciFunctionSpec;
import io.carom.pcibus.Seed;
import io.carom.pcibus.Specs;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FunctionRegistersTest {
  private final FunctionRegisters disk = new FunctionRegisters(Specs.disk());

  @Test
  void headerIsThatOfTheSpec() {
    assertThat(disk.read(0, 4)).isEqualTo(0x1042_1af4L);
    assertThat(disk.read(4, 4)).isEqualTo(0x0010_0000L);
    assertThat(disk.read(8, 4)).isEqualTo(0x0100_0001L);
    assertThat(disk.read(0x0c, 4)).isZero();
    assertThat(disk.read(0x2c, 4)).isEqualTo(0x1100_1af4L);
    assertThat(disk.read(0x30, 4)).isZero();
    assertThat(disk.read(0x34, 4)).isEqualTo(0x40);
    assertThat(disk.read(0x3c, 4)).isEqualTo(0x100);
    assertThat(disk.read(0x100, 4)).as("extended space").isZero();
    assertThat(disk.read(0xffe, 2)).isZero();
  }

  @Test
  void barsTellTheirSizeWhenWrittenAllOnes() {
    for (int bar = 0; bar < 6; bar++) {
      disk.write(ConfigSpaceDescriptor.bar(bar), 4, 0xffff_ffffL);
    }
    assertThat(disk.read(0x10, 4)).isEqualTo(0xffff_f000L);
    assertThat(disk.read(0x14, 4)).as("not implemented").isZero();
    assertThat(disk.read(0x18, 4)).isEqualTo(0xfff0_000cL);
    assertThat(disk.read(0x1c, 4)).isEqualTo(0xffff_ffffL);
    assertThat(disk.read(0x20, 4)).isEqualTo(0xffff_c00cL);
    assertThat(disk.read(0x24, 4)).isEqualTo(0xffff_ffffL);
    disk.write(0x18, 4, 0x1234_5678L);
    disk.write(0x1c, 4, 0x80);
    assertThat(disk.read(0x18, 4)).isEqualTo(0x1230_000cL);
    assertThat(disk.barAddress(Specs.disk().bars().get(1))).isEqualTo(0x80_1230_0000L);
  }

  @Test
  void barsBeyondFourGiBAreSizedByTheirUpperHalf() {
    final BarSpec huge = BarSpec.registers(0, 1L << 36, true, true);
    final FunctionRegisters registers =
        new FunctionRegisters(Specs.of(List.of(huge), List.of(), null));
    registers.write(0x10, 4, 0xffff_ffffL);
    registers.write(0x14, 4, 0xffff_ffffL);
    assertThat(registers.read(0x10, 4)).isEqualTo(0xc);
    assertThat(registers.read(0x14, 4)).isEqualTo(0xffff_fff0L);
    assertThat(registers.barAddress(huge)).isEqualTo(FunctionRegisters.sizingAddress(huge));
  }

  @Test
  void theChainHasTheGivenOrderAndMsixLast() {
    final FunctionRegisters registers =
        new FunctionRegisters(
            Specs.of(
                List.of(BarSpec.registers(0, 0x1000, false, false)),
                List.of(
                    CapabilitySpec.readOnly(new byte[] {9, 77, 5, 1, 2}),
                    CapabilitySpec.readOnly(new byte[] {9, 77, 4, 2})),
                new MsixSpec(3, 0, 0x100, 0x800)));
    assertThat(registers.read(0x34, 1)).isEqualTo(0x40);
    assertThat(registers.read(0x40, 4)).isEqualTo(0x01_05_48_09L);
    assertThat(registers.read(0x44, 4)).isEqualTo(2);
    assertThat(registers.read(0x48, 4)).isEqualTo(0x02_04_4c_09L);
    assertThat(registers.read(0x4c, 4)).isEqualTo(0x0002_00_11L);
    assertThat(registers.read(0x50, 4)).isEqualTo(0x100);
    assertThat(registers.read(0x54, 4)).isEqualTo(0x800);
    registers.write(0x4c, 4, 0xffff_ffffL);
    assertThat(registers.msixControl()).isEqualTo(0xc002);
    assertThat(registers.read(0x4c, 2)).isEqualTo(0x11);
    assertThat(registers.read(6, 2)).isEqualTo(ConfigSpaceDescriptor.STATUS_CAPABILITIES);
    assertThat(new FunctionRegisters(Specs.plain()).read(4, 4)).isZero();
  }

  @Test
  void capabilitiesSeeAccessesToTheirBytesOnly() {
    final List<String> seen = new ArrayList<>();
    final CapabilityAccess access =
        new CapabilityAccess() {
          @Override
          public void reading(final byte[] body, final int offset, final int width) {
            seen.add("reading " + offset + "/" + width);
            body[4]++;
            body[1] = 99; // not the capability's to change
          }

          @Override
          public void written(final byte[] body, final int offset, final int width) {
            seen.add("written " + offset + "/" + width + " " + body[5]);
            body[6] = 42;
          }
        };
    final byte[] body = {9, 0, 8, 5, 0, 0, 0, 0};
    final byte[] mask = {-1, -1, 0, 0, 0, 0x0f, 0, 0};
    final FunctionRegisters registers =
        new FunctionRegisters(
            Specs.of(
                List.of(),
                List.of(
                    CapabilitySpec.readOnly(new byte[] {9, 0, 4, 0}),
                    new CapabilitySpec(body, mask, access)),
                null));
    assertThat(registers.read(0x48, 1)).isEqualTo(1);
    assertThat(registers.read(0x48, 4)).isEqualTo(2);
    registers.write(0x49, 1, 0xff);
    assertThat(registers.read(0x48, 4)).isEqualTo(0x002a_0f03L);
    registers.write(0x44, 2, 0xffff);
    assertThat(registers.read(0x44, 4)).isEqualTo(0x0508_0009L);
    registers.read(0x40, 4);
    assertThat(seen)
        .containsExactly(
            "reading 4/1",
            "reading 4/4",
            "written 5/1 15",
            "reading 4/4",
            "written 0/2 15",
            "reading 0/4");
  }

  @Test
  void specsThatBreakARuleAreRefused() {
    final BarSpec registers = BarSpec.registers(0, 0x1000, false, false);
    assertRefused(
        Specs.of(List.of(registers, BarSpec.registers(0, 16, true, false)), List.of(), null),
        "BAR 0 is used twice");
    assertRefused(
        Specs.of(
            List.of(BarSpec.registers(1, 16, true, false), BarSpec.registers(2, 16, false, false)),
            List.of(),
            null),
        "BAR 2 is used twice");
    assertRefused(
        Specs.of(List.of(BarSpec.registers(0, 1L << 32, false, false)), List.of(), null), "64-bit");
    assertRefused(
        Specs.of(List.of(registers), List.of(), new MsixSpec(4, 1, 0, 0x800)), "MSI-X BAR 1");
    assertRefused(Specs.of(List.of(registers), List.of(), new MsixSpec(257, 0, 0, 0x0)), "outside");
    assertRefused(Specs.of(List.of(registers), List.of(), new MsixSpec(4, 0, 0, 0x38)), "overlap");
    assertRefused(
        Specs.of(
            List.of(
                BarSpec.swiotlb(0, Arena.ofAuto().allocate(4096)),
                BarSpec.swiotlb(2, Arena.ofAuto().allocate(4096))),
            List.of(),
            null),
        "more than one BAR");
    assertRefused(
        Specs.of(List.of(), List.of(CapabilitySpec.readOnly(new byte[193])), null), "do not fit");
    assertRefused(
        new PciFunctionSpec(0xffff, 1, 0, 0, 0, 0, 0, List.of(), List.of(), null), "0xffff");
    assertRefused(
        new PciFunctionSpec(1, 0x10000, 0, 0, 0, 0, 0, List.of(), List.of(), null), "device id");
  }

  private static void assertRefused(final PciFunctionSpec spec, final String part) {
    assertThatThrownBy(() -> new FunctionRegisters(spec))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(part);
  }

  /** Any write, anywhere: read-only bits stay, writable ones take it, W1C ones only ever clear. */
  @Test
  void randomWritesNeverBreakARule() {
    final Random random = Seed.random("FunctionRegistersTest");
    final byte[] model = new byte[4096];
    for (int i = 0; i < 4096; i++) {
      model[i] = (byte) disk.read(i, 1);
    }
    for (int step = 0; step < 50_000; step++) {
      if (random.nextInt(10) == 0) { // the device meets errors
        final int bits = (1 << (8 + random.nextInt(8))) & ConfigSpaceDescriptor.STATUS_W1C;
        disk.status(bits, true);
        model[7] |= (byte) (bits >>> 8);
      }
      final int width = 1 << random.nextInt(3);
      final int limit = random.nextInt(10) == 0 ? 4096 : 0x80;
      final int offset = random.nextInt(limit) & -width;
      final long value = random.nextInt(4) == 0 ? 0xffff_ffffL : random.nextLong();
      disk.write(offset, width, value);
      for (int i = 0; i < width; i++) {
        final int at = offset + i;
        final int written = (int) (value >>> (8 * i)) & 0xff;
        int now = (model[at] & ~writable(at)) | (written & writable(at));
        if (at == 7) {
          now &= ~(written & 0xf9);
        }
        model[at] = (byte) now;
      }
      final int readWidth = 1 << random.nextInt(3);
      final int readOffset = (offset & ~3) | (random.nextInt(4) & -readWidth);
      long expected = 0;
      for (int i = 0; i < readWidth; i++) {
        expected |= (long) (model[readOffset + i] & 0xff) << (8 * i);
      }
      assertThat(disk.read(readOffset, readWidth))
          .as("step %d, offset 0x%x after 0x%x/%d", step, readOffset, offset, width)
          .isEqualTo(expected);
    }
  }

  /** The rules of the disk's bytes, written down independently of the code under test. */
  private static int writable(final int at) {
    return switch (at) {
      case 4 -> 0x46; // memory, bus master, parity
      case 5 -> 0x05; // SERR, INTx disable
      case 0x0c -> 0xff; // cache line
      case 0x11 -> 0xf0; // BAR 0: 4 KiB
      case 0x12, 0x13 -> 0xff;
      case 0x1a -> 0xf0; // BAR 2: 1 MiB
      case 0x1b, 0x1c, 0x1d, 0x1e, 0x1f -> 0xff;
      case 0x21 -> 0xc0; // BAR 4: 16 KiB
      case 0x22, 0x23, 0x24, 0x25, 0x26, 0x27 -> 0xff;
      case 0x3c -> 0xff; // interrupt line
      case 0x53 -> 0xc0; // MSI-X enable, function mask
      default -> 0;
    };
  }
}
