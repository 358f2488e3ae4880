package io.carom.virtio.device.hostile;

import static io.carom.virtio.device.hostile.Rig.DATA;
import static io.carom.virtio.device.hostile.Rig.HEADER;
import static io.carom.virtio.device.hostile.Rig.SECTOR;
import static io.carom.virtio.device.hostile.Rig.SIZE;
import static io.carom.virtio.device.hostile.Rig.STATUS;
import static io.carom.virtio.device.hostile.Rig.TABLE;
import static io.carom.virtio.testkit.Element.INDIRECT;
import static io.carom.virtio.testkit.Element.NEXT;
import static io.carom.virtio.testkit.Element.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.PackedRing;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.SplitRing;
import io.carom.virtio.testkit.TestBus;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Rings and chains that no driver may make: the device needs a reset and says so, no byte was
 * moved, the disk beside it serves on, and a reset brings it back.
 */
class HostileRingTest {
  private static final long END = TestBus.RAM_BYTES;

  /** A bad input; {@code fault}: whether the bus itself has to refuse something. */
  private record Bad(String name, boolean fault, Consumer<Rig> action) {
    Bad(final String name, final Consumer<Rig> action) {
      this(name, false, action);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static Bad data(final String name, final long address, final long length) {
    return new Bad(name, true, rig -> rig.readInto(Element.writable(address, length)));
  }

  private static Bad chain(final String name, final Element... elements) {
    return new Bad(name, rig -> rig.ring().add(elements));
  }

  private static Bad table(final String name, final Element named) {
    return new Bad(
        name,
        rig -> {
          rig.ring().indirect(TABLE, Rig.goodRead());
          rig.ring().add(named);
        });
  }

  /** What is bad whatever the layout. */
  private static Stream<Bad> common() {
    return Stream.of(
            Stream.of(
                new Bad("H5 zero-length data", rig -> rig.readInto(Element.writable(DATA, 0))),
                chain("H5 zero-length status", Rig.headerElement(), Element.writable(STATUS, 0)),
                chain("H5 zero-length header", Element.readable(HEADER, 0), Rig.statusElement()),
                chain("H5 CVE-2016-6490 nothing but zero lengths", zeros(SIZE)),
                data("H6 data unmapped", END, SECTOR),
                data("H6 data straddle the end of memory", END - 1, SECTOR),
                data("H6 data wrap around", -256, SECTOR),
                data("H6 data at the last byte", -1, 1),
                data("H6 CVE-2016-7422 length 0xfffffe00", DATA, 0xfffffe00L),
                data("H6 CVE-2019-14835 length 0xffffff00", DATA, 0xffffff00L),
                data("H30 CVE-2024-3446 data in own registers", registers(), SECTOR),
                new Bad(
                    "H30 readable data in own registers",
                    true,
                    rig -> rig.readInto(Element.readable(registers(), SECTOR))),
                new Bad(
                    "H30 header in own registers",
                    true,
                    rig -> rig.ring().add(Element.readable(registers(), 16), Rig.statusElement())),
                new Bad(
                    "H30 status in own registers",
                    true,
                    rig ->
                        rig.ring()
                            .add(Rig.headerElement(), Element.writable(registers() + 0x14, 1))),
                chain(
                    "H9 readable after writable",
                    Rig.headerElement(),
                    Element.writable(DATA, SECTOR),
                    Element.readable(DATA, SECTOR),
                    Rig.statusElement()),
                chain("status readable", Rig.headerElement(), Element.readable(STATUS, 1)),
                chain("only a header", Rig.headerElement()),
                chain("only a status", Rig.statusElement()),
                chain("header of 15 bytes", Element.readable(HEADER, 15), Rig.statusElement())),
            Stream.of(
                table("H10 CVE-2011-2212 indirect length 0", Element.table(TABLE, 0)),
                table("H10 indirect length 8", Element.table(TABLE, 8)),
                table("H10 indirect length 47", Element.table(TABLE, 47)),
                table("H11 indirect longer than the queue", Element.table(TABLE, 16L * (SIZE + 1))),
                table("H11 indirect length 0xfffffff0", Element.table(TABLE, 0xfffffff0L)),
                new Bad(
                    "H6 indirect table unmapped",
                    true,
                    rig -> rig.ring().add(Element.table(END, 48))),
                new Bad(
                    "H6 indirect table straddles the end of memory",
                    true,
                    rig -> rig.ring().add(Element.table(END - 16, 48))),
                new Bad(
                    "H6 indirect table wraps around",
                    true,
                    rig -> rig.ring().add(Element.table(-16, 48))),
                new Bad(
                    "H30 indirect table in own registers",
                    true,
                    rig -> rig.ring().add(Element.table(registers(), 48))),
                table("INDIRECT and NEXT", Element.table(TABLE, 48).with(NEXT)),
                new Bad(
                    "H9 readable after writable in a table",
                    rig ->
                        rig.ring()
                            .add(
                                rig.ring()
                                    .indirect(
                                        TABLE,
                                        Rig.statusElement(),
                                        Element.writable(DATA, SECTOR),
                                        Rig.headerElement()))),
                new Bad(
                    "H5 zero length in a table",
                    rig ->
                        rig.ring()
                            .add(
                                rig.ring()
                                    .indirect(
                                        TABLE,
                                        Rig.headerElement(),
                                        Element.writable(DATA, 0),
                                        Rig.statusElement()))),
                new Bad(
                    "H8 chain of the queue's size and one, with a table",
                    rig -> {
                      final Element[] entries = new Element[SIZE];
                      Arrays.fill(entries, Element.writable(DATA, 2));
                      rig.ring().add(Rig.headerElement(), rig.ring().indirect(TABLE, entries));
                    })))
        .flatMap(part -> part);
  }

  private static Element[] zeros(final int count) {
    final Element[] elements = new Element[count];
    Arrays.fill(elements, Element.readable(DATA, 0));
    return elements;
  }

  private static long registers() {
    return new TestBus(4096, 0).registersBase();
  }

  /** What is bad in a split ring. */
  private static Stream<Bad> split() {
    return Stream.of(
        split("H2 GHSA-q7p4-pxjx-6h42 head N", ring -> ring.offer(SIZE)),
        split("H2 head 0xffff", ring -> ring.offer(0xffff)),
        split("H1 index N+1", ring -> ring.availIndex(SIZE + 1)),
        split("H1 index -1", ring -> ring.availIndex(-1)),
        split("H1 index 0x8000", ring -> ring.availIndex(0x8000)),
        split("H3 next N", ring -> link(ring, SIZE)),
        split("H3 next 0xffff", ring -> link(ring, 0xffff)),
        split("H4 self loop", ring -> link(ring, 0)),
        split(
            "H4 loop of three",
            ring -> {
              ring.desc(1, HEADER, 8, NEXT, 2);
              ring.desc(2, HEADER, 8, NEXT, 0);
              link(ring, 1);
            }),
        split(
            "H4 CVE-2021-3748 loop of writable descriptors",
            ring -> {
              ring.desc(0, HEADER, 16, NEXT, 1);
              ring.desc(1, DATA, SECTOR, WRITE | NEXT, 2);
              ring.desc(2, DATA, SECTOR, WRITE | NEXT, 1);
              ring.offer(0);
            }),
        split(
            "H12 nested",
            ring -> {
              ring.table(TABLE, 0, TABLE, 48, INDIRECT, 0);
              ring.desc(0, TABLE, 48, INDIRECT, 0);
              ring.offer(0);
            }),
        split(
            "H12 nested behind a good one",
            ring -> {
              ring.table(TABLE, 0, HEADER, 16, NEXT, 1);
              ring.table(TABLE, 1, TABLE, 48, INDIRECT, 0);
              ring.desc(0, TABLE, 48, INDIRECT, 0);
              ring.offer(0);
            }),
        split(
            "H3 next beyond the table",
            ring -> {
              ring.table(TABLE, 0, HEADER, 16, NEXT, 3);
              ring.desc(0, TABLE, 48, INDIRECT, 0);
              ring.offer(0);
            }),
        split(
            "H4 loop in the table",
            ring -> {
              ring.table(TABLE, 0, HEADER, 16, NEXT, 1);
              ring.table(TABLE, 1, HEADER, 16, NEXT, 0);
              ring.desc(0, TABLE, 48, INDIRECT, 0);
              ring.offer(0);
            }));
  }

  private static Bad split(final String name, final Consumer<SplitRing> action) {
    return new Bad(name, rig -> action.accept((SplitRing) rig.ring()));
  }

  private static void link(final SplitRing ring, final int next) {
    ring.desc(0, HEADER, 16, NEXT, next);
    ring.offer(0);
  }

  /** What is bad in a packed ring. */
  private static Stream<Bad> packed() {
    return Stream.of(
        packed(
            "H28 NEXT then unavailable",
            ring -> ring.desc(0, HEADER, 16, 0, NEXT | ring.available())),
        packed(
            "H28 NEXT then one of the other wrap counter",
            ring -> {
              ring.desc(1, STATUS, 1, 0, WRITE | PackedRing.available(!ring.wrap()));
              ring.desc(0, HEADER, 16, 0, NEXT | ring.available());
            }),
        packed(
            "H28 NEXT then a used one",
            ring -> {
              ring.desc(1, STATUS, 1, 0, WRITE | 0x8080);
              ring.desc(0, HEADER, 16, 0, NEXT | ring.available());
            }),
        packed(
            "H4 a ring of nothing but NEXT",
            ring -> {
              for (int i = SIZE - 1; i >= 0; i--) {
                ring.desc(i, HEADER, 16, 0, NEXT | ring.available());
              }
            }),
        packed(
            "H12 INDIRECT in a list, first",
            ring -> {
              ring.desc(1, STATUS, 1, 0, WRITE | ring.available());
              ring.desc(0, TABLE, 48, 0, INDIRECT | NEXT | ring.available());
            }),
        packed(
            "K4 INDIRECT in a list, last",
            ring -> {
              ring.desc(1, TABLE, 48, 0, INDIRECT | ring.available());
              ring.desc(0, HEADER, 16, 0, NEXT | ring.available());
            }),
        new Bad(
            "H10 issue-3984 indirect length 0, from a doorbell of a fresh ring",
            rig -> {
              final PackedRing ring = (PackedRing) rig.ring();
              ring.desc(0, TABLE, 0, 0xffff, INDIRECT | WRITE | ring.available());
            }));
  }

  private static Bad packed(final String name, final Consumer<PackedRing> action) {
    return new Bad(name, rig -> action.accept((PackedRing) rig.ring()));
  }

  static Stream<Arguments> rows() {
    return Rig.layouts()
        .flatMap(
            layout -> Stream.concat(common(), own(layout)).map(row -> Arguments.of(layout, row)));
  }

  private static Stream<Bad> own(final RingLayout layout) {
    return switch (layout) {
      case SPLIT -> split();
      case PACKED -> packed();
    };
  }

  @DisplayName(
      "S3 H1 H2 H3 H4 H5 H6 H8 H9 H10 H11 H12 H28 H30 K4 CVE-2011-2212 CVE-2016-6490 CVE-2016-7422"
          + " CVE-2019-14835 CVE-2021-3748 CVE-2024-3446 D: E, nothing moved, and a reset mends it")
  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("rows")
  void s3NeedsReset(final RingLayout layout, final Bad row) {
    check(layout, row, VirtioFeatures.INDIRECT_DESC);
  }

  @DisplayName("S3 H1 H2 H3 H4 H5 H6 H8 H9 H10 H11 H12 H28 H30 D: the same with EVENT_IDX")
  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("rows")
  void s3NeedsResetWithEventIndex(final RingLayout layout, final Bad row) {
    check(layout, row, VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX);
  }

  static Stream<RingLayout> layouts() {
    return Rig.layouts();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void h13IndirectNotNegotiated(final RingLayout layout) {
    check(layout, table("H13 INDIRECT not negotiated", Element.table(TABLE, 48)), 0);
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void h7TotalBeyond32Bits(final RingLayout layout) {
    // every buffer is memory, so that only their sum is wrong
    final long ram = 64L << 20;
    final Rig rig = Rig.started(layout, new Rig.Setup(0).ram(ram));
    final Element[] elements = new Element[2 + 66];
    Arrays.fill(elements, Element.writable(0, ram - 4096));
    elements[0] = Rig.headerElement();
    elements[elements.length - 1] = Rig.statusElement();
    rig.header(BlkDescriptor.T_IN, 0);
    rig.ring().add(elements);
    rig.driver.run();
    rig.assertBroken();
    rig.assertNothingMoved();
    rig.assertNeighbourServes();
    rig.assertResetMends();
    rig.close();
  }

  private static void check(final RingLayout layout, final Bad row, final long features) {
    final Rig rig = Rig.started(layout, features);
    rig.assertServes();
    rig.start();
    rig.header(BlkDescriptor.T_IN, 0);
    final long faults = rig.bus.counters().faulted();
    row.action.accept(rig);
    rig.driver.run();
    rig.assertBroken();
    rig.assertNothingMoved();
    assertThat(rig.bus.counters().faulted() - faults).isEqualTo(row.fault ? 1 : 0);
    rig.assertNeighbourServes();
    rig.assertSticky();
    rig.assertResetMends();
    rig.close();
  }
}
