package io.carom.machine.platform;

import static io.carom.machine.platform.Rig.BIT;
import static io.carom.machine.platform.Rig.HIGH;
import static io.carom.machine.platform.Rig.MIB;
import static io.carom.machine.platform.Rig.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class AddressStagesTest {
  private static final long C_BIT = 1L << BIT;

  @Test
  void aPlatformWithoutStagesIsPlain() throws Exception {
    final Rig rig = new Rig(PlatformSettings.plain(0x4000_0000L));
    assertThat(rig.platform.plain()).isTrue();
    assertThat(rig.platform.coherent()).isTrue();
    assertThat(rig.guest.busOffset()).isEqualTo(0x4000_0000L);
    assertThat(rig.platform.busAddress(HIGH, 8, false)).isEqualTo(HIGH + 0x4000_0000L);
    assertThat(rig.platform.physicalAddress(HIGH + 0x4000_0000L, 8)).isEqualTo(HIGH);
    assertThat(rig.platform.physicalAddress(0, 8)).isEqualTo(-1);
    assertThat(rig.platform.busAddress(MIB, 1, false)).isEqualTo(-1);
    assertThat(rig.platform.uncached()).isSameAs(rig.guest.ram());
    rig.session.begin();
    assertThat(rig.session.resolve(0x4000_1000L, 64, BusAccess.READ).isNative()).isTrue();
    rig.session.end();
  }

  @Test
  void everyBankHasItsOffset() {
    final Rig rig = new Rig(Rig.settings(true, false, false, false, 1));
    assertThat(rig.platform.plain()).isFalse();
    assertThat(rig.platform.busAddress(0x1000, 64, false)).isEqualTo(0x4000_1000L);
    assertThat(rig.platform.busAddress(HIGH + 0x1000, 64, true)).isEqualTo(0x5000_1000L);
    assertThat(rig.platform.physicalAddress(0x4000_1000L, 64)).isEqualTo(0x1000);
    assertThat(rig.platform.physicalAddress(0x5000_1000L, 64)).isEqualTo(HIGH + 0x1000);
    rig.store(HIGH + 0x1000, bytes(300, 1));
    assertThat(rig.deviceReads(0x5000_1000L, 300)).isEqualTo(bytes(300, 1));
    rig.deviceWrites(0x4000_2000L, bytes(300, 2));
    assertThat(rig.load(0x2000, 300)).isEqualTo(bytes(300, 2));
  }

  @Test
  void whatIsInNoBankOrInTwoIsNotReached() {
    final Rig rig = new Rig(Rig.settings(true, false, false, false, 1));
    final long above = HIGH + MIB / 2; // RAM, but in no bank
    assertThat(rig.platform.busAddress(above, 8, false)).isEqualTo(-1);
    assertThat(rig.platform.busAddress(above - 4, 8, false)).as("half of it").isEqualTo(-1);
    assertThat(rig.platform.physicalAddress(0x5000_0000L + MIB / 2, 8)).isEqualTo(-1);
    assertThat(rig.platform.physicalAddress(0x5000_0000L + MIB / 2 - 4, 8)).isEqualTo(-1);
    assertThat(rig.platform.physicalAddress(0x1000, 8)).as("no identity").isEqualTo(-1);
    assertThat(rig.platform.physicalAddress(-1, 8)).isEqualTo(-1);
    assertThat(rig.platform.physicalAddress(Long.MIN_VALUE, 8)).isEqualTo(-1);
    assertFault(rig, 0x1000, Reason.UNMAPPED);
    assertFault(rig, 0x5000_0000L + MIB / 2 - 4, Reason.UNMAPPED);
  }

  @Test
  void privateMemoryHasTheBitAndSharedMemoryHasNot() {
    final Rig rig = new Rig(Rig.settings(false, true, false, false, 1));
    assertThat(rig.platform.busAddress(0x1000, 64, false)).isEqualTo(0x1000 | C_BIT);
    assertThat(rig.platform.busAddress(0x1000, 64, true)).isEqualTo(0x1000);
    assertThat(rig.platform.physicalAddress(0x1000 | C_BIT, 64)).isEqualTo(0x1000);
    assertThat(rig.platform.physicalAddress(0x1000, 64)).isEqualTo(0x1000);
    rig.guest.share(0x1000, 1);
    assertThat(rig.platform.busAddress(0x1000, 64, false)).as("known to be").isEqualTo(0x1000);
    assertThat(rig.platform.busAddress(0x1fc0, 128, false)).as("half").isEqualTo(0x1fc0 | C_BIT);
  }

  @Test
  void theBitDecidesWhetherADeviceSeesCiphertext() {
    final Rig rig = new Rig(Rig.settings(false, true, false, false, 1));
    final byte[] text = bytes(5000, 3);
    rig.store(0x1234, text);
    assertThat(rig.deviceReads(0x1234 | C_BIT, 5000)).isEqualTo(text);
    final byte[] cipher = rig.deviceReads(0x1234, 5000);
    int same = 0;
    for (int i = 0; i < text.length; i++) {
      same += cipher[i] == text[i] ? 1 : 0;
    }
    assertThat(same).as("bytes that show through").isLessThan(100); // 20 by chance
    assertThat(rig.deviceReads(0x1234, 5000)).as("deterministic").isEqualTo(cipher);
    assertThat(rig.load(0x1234, 5000)).as("looking changes nothing").isEqualTo(text);
    rig.guest.share(0x1000, 2);
    assertThat(rig.deviceReads(0x1234, 5000)).as("decrypted").isEqualTo(text);
    assertThat(rig.deviceReads(0x1234 | C_BIT, 5000)).as("wrong again").isEqualTo(cipher);
    rig.guest.unshare(0x1000, 2);
    assertThat(rig.deviceReads(0x1234 | C_BIT, 5000)).isEqualTo(text);
  }

  @Test
  void whatIsWrittenWithoutTheBitCpusReadScrambled() {
    final Rig rig = new Rig(Rig.settings(false, true, false, false, 1));
    rig.store(0x3000, bytes(256, 4));
    final byte[] text = bytes(100, 90);
    rig.deviceWrites(0x3010, text);
    assertThat(rig.load(0x3010, 100)).isNotEqualTo(text);
    assertThat(rig.deviceReads(0x3010, 100)).as("in the device's own terms").isEqualTo(text);
    assertThat(rig.load(0x3000, 16)).as("in front").isEqualTo(bytes(16, 4));
    rig.deviceWrites(0x3010 | C_BIT, text);
    assertThat(rig.load(0x3010, 100)).isEqualTo(text);
  }

  @Test
  void onlyChangedBytesGoBackThroughTheCipher() throws Exception {
    final Rig rig = new Rig(Rig.settings(false, true, false, false, 1));
    rig.session.begin();
    rig.session
        .resolve(0x3000, 64, BusAccess.WRITE)
        .set(ValueLayout.JAVA_BYTE, 9, (byte) 1);
    rig.store(0x3000, bytes(8, 4)); // a CPU stores next to it
    rig.session.settled();
    assertThat(rig.load(0x3000, 8)).isEqualTo(bytes(8, 4));
    rig.session.end();
    assertThat(rig.deviceReads(0x3009, 1)).containsExactly(1);
  }

  @Test
  void aRunOverPagesOfBothKindsIsRightWhereThePageIs() {
    final Rig rig = new Rig(Rig.settings(false, true, false, false, 1));
    rig.store(0x5f00, bytes(512, 5));
    rig.guest.share(0x6000, 1);
    final byte[] seen = rig.deviceReads(0x5f00, 512);
    assertThat(Arrays.copyOfRange(seen, 256, 512))
        .isEqualTo(Arrays.copyOfRange(bytes(512, 5), 256, 512));
    assertThat(Arrays.copyOf(seen, 256))
        .isNotEqualTo(Arrays.copyOf(bytes(512, 5), 256));
    rig.deviceWrites(0x5f00, bytes(512, 6));
    assertThat(rig.load(0x6000, 256))
        .isEqualTo(Arrays.copyOfRange(bytes(512, 6), 256, 512));
    assertThat(rig.load(0x5f00, 256)).isNotEqualTo(Arrays.copyOf(bytes(512, 6), 256));
  }

  private static void assertFault(final Rig rig, final long bus, final Reason reason) {
    rig.session.begin();
    final BusFaultException fault =
        catchThrowableOfType(
            BusFaultException.class, () -> rig.session.resolve(bus, 8, BusAccess.READ));
    rig.session.end();
    assertThat(fault).isNotNull();
    assertThat(fault.reason()).isEqualTo(reason);
  }
}
