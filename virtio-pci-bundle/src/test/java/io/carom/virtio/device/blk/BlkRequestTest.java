package io.carom.virtio.device.blk;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.transport.WorkerOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource(Rings.class)
class BlkRequestTest {
  private static final long RING = 0x10000;
  private static final long HEADER = 0x20000;
  private static final long STATUS = 0x20100;
  private static final long TABLE = 0x21000;
  private static final long DATA = 0x30000;
  private static final int UNSET = 0xee;

  private final Rings rings;
  private Driver driver = Disks.drive(SwiotlbPolicy.NONE);
  private DriverRing queue;

  BlkRequestTest(final Rings rings) {
    this.rings = rings;
    queue = start(driver);
  }

  private DriverRing start(final Driver with) {
    return with.start(
        VirtioFeatures.INDIRECT_DESC | rings.features,
        rings.make(with.bus, Disks.QUEUE_SIZE, RING));
  }

  private void use(final BlkDevice device) {
    driver = Disks.drive(SwiotlbPolicy.NONE, device, WorkerOptions.manual());
    queue = start(driver);
  }

  /** Sends header, data and status as three descriptors; returns the status byte. */
  private int request(final int type, final long sector, final int length, final boolean writable) {
    driver.bytes(STATUS, new byte[] {(byte) UNSET});
    driver.header(HEADER, type, sector);
    queue.desc(0, HEADER, 16, NEXT, length == 0 ? 2 : 1);
    queue.desc(1, DATA, length, NEXT | (writable ? WRITE : 0), 2);
    queue.desc(2, STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    assertThat(driver.needsReset()).isFalse();
    return driver.byteAt(STATUS);
  }

  private int lastLength() {
    return queue.usedLength(queue.usedIndex() - 1);
  }

  private static byte[] random(final int length) {
    final byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  @Test
  void whatWasWrittenIsRead() {
    final byte[] content = random(1024);
    driver.bytes(DATA, content);
    assertThat(request(BlkDescriptor.T_OUT, 3, 1024, false)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(lastLength()).isEqualTo(1);
    driver.bytes(DATA, new byte[1024]);
    assertThat(request(BlkDescriptor.T_IN, 3, 1024, true)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(lastLength()).isEqualTo(1025);
    assertThat(driver.bytes(DATA, 1024)).isEqualTo(content);
  }

  @Test
  void getIdIsTheNamePaddedToTwentyBytes() {
    driver.bytes(DATA, random(20));
    assertThat(request(BlkDescriptor.T_GET_ID, 0, 20, true)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(lastLength()).isEqualTo(21);
    assertThat(driver.bytes(DATA, 20))
        .isEqualTo(Arrays.copyOf("disk0".getBytes(StandardCharsets.US_ASCII), 20));
  }

  @Test
  void flushWritesItsStatusOnly() {
    assertThat(request(BlkDescriptor.T_FLUSH, 0, 0, false)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(lastLength()).isEqualTo(1);
  }

  @Test
  void unknownTypeIsUnsupportedAndWritesNoData() {
    assertThat(request(77, 0, 512, true)).isEqualTo(BlkDescriptor.S_UNSUPP);
    assertThat(lastLength()).isEqualTo(1);
  }

  @Test
  void beyondTheCapacityIsAnErrorThatWritesNoData() {
    final byte[] before = random(1024);
    driver.bytes(DATA, before);
    for (final long sector : new long[] {Disks.SECTORS, 1L << 54, Long.MAX_VALUE, 1L << 63, -1}) {
      assertThat(request(BlkDescriptor.T_IN, sector, 512, true))
          .as("sector %d", sector)
          .isEqualTo(BlkDescriptor.S_IOERR);
      assertThat(lastLength()).isEqualTo(1);
    }
    assertThat(request(BlkDescriptor.T_IN, Disks.SECTORS - 1, 1024, true))
        .isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(request(BlkDescriptor.T_OUT, Disks.SECTORS - 1, 1024, false))
        .isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(driver.bytes(DATA, 1024)).isEqualTo(before);
    assertThat(request(BlkDescriptor.T_IN, Disks.SECTORS - 1, 512, true))
        .isEqualTo(BlkDescriptor.S_OK);
  }

  @Test
  void dataThatAreNoWholeSectorsAreAnError() {
    for (final int length : new int[] {1, 511, 513}) {
      assertThat(request(BlkDescriptor.T_IN, 0, length, true)).isEqualTo(BlkDescriptor.S_IOERR);
      assertThat(request(BlkDescriptor.T_OUT, 0, length, false)).isEqualTo(BlkDescriptor.S_IOERR);
    }
  }

  @Test
  void dataInTheWrongDirectionAreAnError() {
    assertThat(request(BlkDescriptor.T_IN, 0, 512, false)).isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(request(BlkDescriptor.T_OUT, 0, 512, true)).isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(lastLength()).isEqualTo(1);
  }

  @Test
  void readOnlyDiskRefusesWritesAndKeepsItsBytes() {
    final MemoryBackend backend = new MemoryBackend(Disks.SECTORS * 512L);
    use(Disks.over(backend, true, 1));
    assertThat(driver.offered() & VirtioFeatures.BLK_RO).isNotZero();
    driver.bytes(DATA, random(512));
    assertThat(request(BlkDescriptor.T_OUT, 0, 512, false)).isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(request(BlkDescriptor.T_IN, 0, 512, true)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(driver.bytes(DATA, 512)).isEqualTo(new byte[512]);
  }

  @Test
  void r2AnyFramingIsServed() {
    final byte[] content = random(1024);
    driver.bytes(DATA, content);
    driver.header(HEADER, BlkDescriptor.T_OUT, 5);
    // header in four parts, the last of them together with data; data in uneven parts
    driver.bytes(DATA - 6, driver.bytes(HEADER + 10, 6));
    queue.desc(9, HEADER, 1, NEXT, 4);
    queue.desc(4, HEADER + 1, 2, NEXT, 7);
    queue.desc(7, HEADER + 3, 7, NEXT, 1);
    queue.desc(1, DATA - 6, 6 + 700, NEXT, 2);
    queue.desc(2, DATA + 700, 324, NEXT, 3);
    queue.desc(3, STATUS, 1, WRITE, 0);
    queue.offer(9);
    driver.run();
    assertThat(driver.byteAt(STATUS)).isEqualTo(BlkDescriptor.S_OK);

    // a read with its status behind the data in one buffer
    driver.bytes(DATA, new byte[2000]);
    driver.header(HEADER, BlkDescriptor.T_IN, 5);
    queue.desc(0, HEADER, 16, NEXT, 1);
    queue.desc(1, DATA, 3, WRITE | NEXT, 2);
    queue.desc(2, DATA + 3, 1022, WRITE, 0);
    queue.offer(0);
    driver.run();
    assertThat(driver.bytes(DATA, 1024)).isEqualTo(content);
    assertThat(driver.byteAt(DATA + 1024)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(lastLength()).isEqualTo(1025);
  }

  @Test
  void r5k4IndirectTableIsServedAndWriteOnItsDescriptorMeansNothing() {
    for (final int flags : new int[] {INDIRECT, INDIRECT | WRITE}) {
      driver.header(HEADER, BlkDescriptor.T_IN, 0);
      queue.table(TABLE, 0, HEADER, 16, NEXT, 1);
      queue.table(TABLE, 1, DATA, 512, WRITE | NEXT, 2);
      queue.table(TABLE, 2, STATUS, 1, WRITE, 0);
      queue.desc(0, TABLE, 48, flags, 0);
      queue.offer(0);
      driver.run();
      assertThat(driver.needsReset()).isFalse();
      assertThat(lastLength()).isEqualTo(513);
    }
  }

  @Test
  void backendThatFailsGivesAnErrorWithTheBytesThatWereWritten() {
    use(Disks.over(new Failing(), false, 1));
    driver.header(HEADER, BlkDescriptor.T_IN, 0);
    queue.desc(0, HEADER, 16, NEXT, 1);
    queue.desc(1, DATA, 512, WRITE | NEXT, 2);
    queue.desc(2, DATA + 512, 512, WRITE | NEXT, 3);
    queue.desc(3, STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    assertThat(driver.byteAt(STATUS)).isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(lastLength()).isEqualTo(513);
    assertThat(request(BlkDescriptor.T_OUT, 0, 512, false)).isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(request(BlkDescriptor.T_FLUSH, 0, 0, false)).isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(request(BlkDescriptor.T_IN, 0, 512, true)).isEqualTo(BlkDescriptor.S_OK);
  }

  @Test
  void aHundredThousandBadRequestsLeaveRoomForAGoodOne() {
    for (int i = 0; i < 100_000; i++) {
      queue.desc(0, HEADER, 16, NEXT, 1);
      queue.desc(1, DATA, 511, WRITE | NEXT, 2);
      queue.desc(2, STATUS, 1, WRITE, 0);
      queue.offer(0);
      driver.run();
    }
    assertThat(request(BlkDescriptor.T_IN, 0, 512, true)).isEqualTo(BlkDescriptor.S_OK);
  }

  /** Reads its first sector, and nothing else. */
  private static final class Failing implements BlkBackend {
    @Override
    public long size() {
      return Disks.SECTORS * 512L;
    }

    @Override
    public void read(
        final long position, final MemorySegment to, final long offset, final long length)
        throws IOException {
      if (position != 0) {
        throw new IOException("bad sector");
      }
      to.asSlice(offset, length).fill((byte) 1);
    }

    @Override
    public void write(
        final long position, final MemorySegment from, final long offset, final long length)
        throws IOException {
      throw new IOException("broken");
    }

    @Override
    public void flush() throws IOException {
      throw new IOException("no");
    }

    @Override
    public String describe() {
      return "failing";
    }

    @Override
    public void close() {
      // nothing to close
    }
  }
}
