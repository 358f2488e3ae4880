package io.carom.virtio.device.hostile;

import static io.carom.virtio.device.hostile.Rig.DATA;
import static io.carom.virtio.device.hostile.Rig.SECTOR;
import static io.carom.virtio.device.hostile.Rig.SECTORS;
import static io.carom.virtio.device.hostile.Rig.SIZE;
import static io.carom.virtio.device.hostile.Rig.TABLE;
import static io.carom.virtio.testkit.Element.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Requests that are wrong, odd or rare, but that the device can answer: status, honest length, and
 * it goes on.
 */
class HostileAnswerTest {
  private static final int OK = BlkDescriptor.S_OK;
  private static final int IOERR = BlkDescriptor.S_IOERR;
  private static final int UNSUPP = BlkDescriptor.S_UNSUPP;

  /** In a packed ring an indirect table makes up a list of its own (K4). */
  private static final String SPLIT_ONLY = "R5 normal descriptors then INDIRECT";

  /** A request with its answer. */
  private record Row(String name, int status, long length, Consumer<Rig> action) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Row row(
      final String name,
      final int status,
      final long length,
      final int type,
      final long sector,
      final Element... data) {
    return new Row(
        name,
        status,
        length,
        rig -> {
          rig.header(type, sector);
          final Element[] all = new Element[data.length + 2];
          all[0] = Rig.headerElement();
          System.arraycopy(data, 0, all, 1, data.length);
          all[all.length - 1] = Rig.statusElement();
          rig.ring().add(all);
        });
  }

  private static Element in(final long bytes) {
    return Element.writable(DATA, bytes);
  }

  private static Element out(final long bytes) {
    return Element.readable(DATA, bytes);
  }

  private static Stream<Row> rows() {
    final int read = BlkDescriptor.T_IN;
    final int write = BlkDescriptor.T_OUT;
    return Stream.of(
        row("good read of 512", OK, 513, read, 7, in(SECTOR)),
        row("good read of all", OK, 513 + 63 * 512, read, 0, in(SECTORS * 512L)),
        row("good GET_ID", OK, 21, BlkDescriptor.T_GET_ID, 0, in(20)),
        row("GET_ID with room for more", OK, 21, BlkDescriptor.T_GET_ID, 0, in(64)),
        row("GET_ID with room for less", OK, 8, BlkDescriptor.T_GET_ID, 0, in(7)),
        row("good FLUSH", OK, 1, BlkDescriptor.T_FLUSH, 0),
        row("unknown type", UNSUPP, 1, 99, 0, in(SECTOR)),
        row("unknown type 0xffffffff", UNSUPP, 1, -1, 0, in(SECTOR)),
        row("CVE-2026-48914 legacy SCSI command", UNSUPP, 1, 2, 0, out(SECTOR), in(SECTOR)),
        row("type OUT with a barrier bit", UNSUPP, 1, 0x80000001, 0, out(SECTOR)),
        row("beyond the capacity", IOERR, 1, read, SECTORS, in(SECTOR)),
        row("straddles the capacity", IOERR, 1, read, SECTORS - 1, in(2 * SECTOR)),
        row("sector 2^63-1", IOERR, 1, read, Long.MAX_VALUE, in(SECTOR)),
        row("sector 2^64-1", IOERR, 1, read, -1, in(SECTOR)),
        row("sector whose byte wraps", IOERR, 1, read, 1L << 55, in(SECTOR)),
        row("CVE-2011-1750 data of 511 bytes", IOERR, 1, read, 0, in(511)),
        row("CVE-2011-1750 data of 513 bytes", IOERR, 1, read, 0, in(513)),
        row("CVE-2011-1750 write of 511 bytes", IOERR, 1, write, 0, out(511)),
        row("write beyond the capacity", IOERR, 1, write, SECTORS, out(SECTOR)),
        row("write straddles the capacity", IOERR, 1, write, SECTORS - 1, out(2 * SECTOR)),
        row("IN with readable data", IOERR, 1, read, 0, out(SECTOR)),
        row("OUT with writable data", IOERR, 1, write, 0, in(SECTOR)),
        row("CVE-2023-3180 data of both kinds", IOERR, 1, read, 0, out(SECTOR), in(2 * SECTOR)),
        indirect("INDIRECT and WRITE: WRITE is ignored", WRITE),
        indirect("INDIRECT", 0),
        new Row(
            SPLIT_ONLY,
            OK,
            513,
            rig -> {
              rig.header(BlkDescriptor.T_IN, 0);
              rig.ring()
                  .add(
                      Rig.headerElement(),
                      rig.ring().indirect(TABLE, in(SECTOR), Rig.statusElement()));
            }),
        new Row(
            "H8 a chain of the queue's size",
            OK,
            2 * (SIZE - 2) + 4 + 1,
            rig -> {
              // a read of one sector, in pieces of two bytes, the last of four more
              rig.header(BlkDescriptor.T_IN, 0);
              final Element[] all = new Element[SIZE];
              all[0] = Rig.headerElement();
              for (int i = 1; i < SIZE; i++) {
                all[i] = Element.writable(DATA + 2L * (i - 1), 2);
              }
              all[SIZE - 2] = Element.writable(DATA + 2L * (SIZE - 3), 512 - 2 * (SIZE - 3));
              all[SIZE - 1] = Rig.statusElement();
              rig.ring().add(all);
            }),
        new Row(
            "CVE-2022-2132 header cut into bytes",
            OK,
            513,
            rig -> {
              rig.header(BlkDescriptor.T_IN, 0);
              final Element[] all = new Element[18];
              for (int i = 0; i < 16; i++) {
                all[i] = Element.readable(Rig.HEADER + i, 1);
              }
              all[16] = in(SECTOR);
              all[17] = Rig.statusElement();
              rig.ring().add(all);
            }));
  }

  private static Row indirect(final String name, final int flags) {
    return new Row(
        name,
        OK,
        513,
        rig -> {
          rig.header(BlkDescriptor.T_IN, 0);
          rig.ring().add(rig.ring().indirect(TABLE, Rig.goodRead()).with(flags));
        });
  }

  static Stream<Arguments> arguments() {
    return Rig.layouts()
        .flatMap(
            layout ->
                rows()
                    .filter(row -> layout == RingLayout.SPLIT || !row.name.equals(SPLIT_ONLY))
                    .map(row -> Arguments.of(layout, row)));
  }

  @DisplayName(
      "R2 R5 R6 H8 CVE-2011-1750 CVE-2022-2132 CVE-2023-3180 CVE-2024-8612 CVE-2026-48914 D: status"
          + " and honest length, and it goes on")
  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("arguments")
  void r6AnswersWithHonestLength(final RingLayout layout, final Row row) {
    final Rig rig = Rig.started(layout, VirtioFeatures.INDIRECT_DESC);
    row.action.accept(rig);
    rig.driver.run();
    if (row.status != OK) {
      rig.assertAnswer(row.status, row.length);
      // CVE-2024-8612: what was not written is not claimed, and is not written
      rig.memory.put8(Rig.STATUS, Rig.MARK);
      rig.assertNothingMoved();
    } else {
      rig.assertAnswer(row.status, row.length);
    }
    for (int sector = 0; sector < SECTORS; sector++) {
      assertThat(rig.onDisk(sector)).isEqualTo(Rig.sectorBytes(sector));
    }
    rig.assertServes();
    rig.assertNeighbourServes();
    assertThat(rig.bus.messages()).doesNotContain(0);
    rig.close();
  }

  static Stream<RingLayout> layouts() {
    return Rig.layouts();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void readOnlyOutGivesIoErrAndNothingIsWritten(final RingLayout layout) {
    final Rig rig = Rig.started(layout, new Rig.Setup(VirtioFeatures.BLK_RO).readOnly());
    rig.header(BlkDescriptor.T_OUT, 0);
    rig.ring().add(Rig.headerElement(), out(SECTOR), Rig.statusElement());
    rig.driver.run();
    rig.assertAnswer(IOERR, 1);
    assertThat(rig.onDisk(0)).isEqualTo(Rig.sectorBytes(0));
    rig.assertServes();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void goodWriteReachesTheDiskAndNothingElse(final RingLayout layout) {
    final Rig rig = Rig.started(layout, 0);
    final byte[] bytes = new byte[2 * SECTOR];
    Arrays.fill(bytes, (byte) 0x77);
    rig.memory.put(DATA, bytes);
    rig.header(BlkDescriptor.T_OUT, 4);
    rig.ring()
        .add(Rig.headerElement(), out(SECTOR), Element.readable(DATA, SECTOR), Rig.statusElement());
    rig.driver.run();
    rig.assertAnswer(OK, 1);
    assertThat(rig.onDisk(3)).isEqualTo(Rig.sectorBytes(3));
    assertThat(rig.onDisk(4)).containsOnly(0x77);
    assertThat(rig.onDisk(5)).containsOnly(0x77);
    assertThat(rig.onDisk(6)).isEqualTo(Rig.sectorBytes(6));
    rig.close();
  }

  private static void range(
      final Rig rig, final int number, final long sector, final long sectors, final long flags) {
    final long at = DATA + (long) BlkDescriptor.RANGE_SIZE * number;
    rig.memory.put64(at + BlkDescriptor.RANGE_SECTOR, sector);
    rig.memory.put32(at + BlkDescriptor.RANGE_SECTORS, sectors);
    rig.memory.put32(at + BlkDescriptor.RANGE_FLAGS, flags);
  }

  /** One request of ranges: its answer, and which sectors are zero after it. */
  private record Ranges(
      String name, int type, int status, int count, long sector, long sectors, long flags) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> ranges() {
    final int discard = BlkDescriptor.T_DISCARD;
    final int zero = BlkDescriptor.T_WRITE_ZEROES;
    final List<Ranges> rows =
        List.of(
            new Ranges("DISCARD", discard, OK, 1, 3, 2, 0),
            new Ranges("DISCARD with unmap", discard, UNSUPP, 1, 3, 2, 1),
            new Ranges("DISCARD with a reserved flag", discard, UNSUPP, 1, 3, 2, 2),
            new Ranges("DISCARD of 17 ranges of at most 16", discard, UNSUPP, 17, 3, 1, 0),
            new Ranges("DISCARD beyond the capacity", discard, IOERR, 1, SECTORS, 1, 0),
            new Ranges("DISCARD that straddles it", discard, IOERR, 1, SECTORS - 1, 2, 0),
            new Ranges("DISCARD from sector 2^63", discard, IOERR, 1, Long.MIN_VALUE, 1, 0),
            new Ranges("DISCARD of more than the most", discard, IOERR, 1, 0, 0xffff_ffffL, 0),
            new Ranges("DISCARD of nothing", discard, IOERR, 0, 0, 0, 0),
            new Ranges("WRITE_ZEROES with unmap", zero, OK, 1, 3, 2, 1),
            new Ranges("WRITE_ZEROES with a reserved flag", zero, UNSUPP, 1, 3, 2, 4),
            new Ranges("WRITE_ZEROES beyond the capacity", zero, IOERR, 2, SECTORS, 1, 0));
    return Rig.layouts().flatMap(layout -> rows.stream().map(row -> Arguments.of(layout, row)));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("ranges")
  void discardAndWriteZeroes(final RingLayout layout, final Ranges row) {
    final Rig rig =
        Rig.started(layout, VirtioFeatures.BLK_DISCARD | VirtioFeatures.BLK_WRITE_ZEROES);
    rig.header(row.type, 0);
    for (int i = 0; i < row.count; i++) {
      range(rig, i, row.sector, row.sectors, row.flags);
    }
    if (row.count == 0) {
      rig.ring().add(Rig.headerElement(), Rig.statusElement());
    } else {
      rig.ring()
          .add(
              Rig.headerElement(),
              out((long) row.count * BlkDescriptor.RANGE_SIZE),
              Rig.statusElement());
    }
    rig.driver.run();
    rig.assertAnswer(row.status, 1);
    for (int sector = 0; sector < SECTORS; sector++) {
      final boolean gone =
          row.status == OK && sector >= row.sector && sector < row.sector + row.sectors;
      assertThat(rig.onDisk(sector))
          .as("sector %d", sector)
          .isEqualTo(gone ? new byte[SECTOR] : Rig.sectorBytes(sector));
    }
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void idIsTheDevicesName(final RingLayout layout) {
    final Rig rig = Rig.started(layout, 0);
    rig.header(BlkDescriptor.T_GET_ID, 0);
    rig.ring().add(Rig.headerElement(), in(20), Rig.statusElement());
    rig.driver.run();
    rig.assertAnswer(OK, 21);
    assertThat(rig.memory.bytes(DATA, 20))
        .isEqualTo(Arrays.copyOf("disk0".getBytes(StandardCharsets.UTF_8), 20));
    rig.close();
  }
}
