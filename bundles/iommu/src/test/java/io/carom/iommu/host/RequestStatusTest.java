package io.carom.iommu.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import io.carom.iommu.VirtioIommuDescriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every answer of the specification's table, asked for in bytes. */
class RequestStatusTest {
  private static final int RW = Rig.RW;
  private static final int R = VirtioIommuDescriptor.MAP_F_READ;
  private static final int MMIO = VirtioIommuDescriptor.MAP_F_MMIO;
  private static final int BYPASS = VirtioIommuDescriptor.ATTACH_F_BYPASS;
  private static final long PAGE = 4096;

  /** Domain 1 holds A and the mappings [16k, 24k) and [32k, 40k); domain 2 passes and holds B. */
  private static Rig rig() {
    final Rig rig =
        new Rig(
            IommuSettings.DEFAULTS
                .withInputBits(40)
                .withReserved(new ReservedRange(0x800_0000, 0x80f_ffff, false))
                .withLimits(4, 12));
    assertThat(rig.attach(1, Rig.EP_A)).isEqualTo(IommuStatus.OK);
    assertThat(rig.status(Rig.attachBytes(2, Rig.EP_B, BYPASS))).isEqualTo(IommuStatus.OK);
    assertThat(rig.map(1, 4 * PAGE, 2 * PAGE, 0x10_0000)).isEqualTo(IommuStatus.OK);
    assertThat(rig.map(1, 8 * PAGE, 2 * PAGE, 0x20_0000)).isEqualTo(IommuStatus.OK);
    return rig;
  }

  private record Case(String what, byte[] request, int status) {
    @Override
    public String toString() {
      return what + " → " + IommuStatus.name(status);
    }
  }

  private static byte[] map(final long start, final long last, final long physical) {
    return Rig.mapBytes(1, start, last, physical, RW);
  }

  private static byte[] with(final byte[] request, final int offset, final int value) {
    request[offset] = (byte) value;
    return request;
  }

  private static byte[] cut(final byte[] request, final int size) {
    return Arrays.copyOf(request, size);
  }

  static Stream<Case> table() {
    return Stream.of(
        new Case("attach", Rig.attachBytes(3, Rig.EP_A, 0), IommuStatus.OK),
        new Case("attach again", Rig.attachBytes(1, Rig.EP_A, 0), IommuStatus.OK),
        new Case("attach the host bridge", Rig.attachBytes(9, 0, 0), IommuStatus.OK),
        new Case("attach the last domain", Rig.attachBytes(0xffff, 0, 0), IommuStatus.OK),
        new Case("attach beyond it", Rig.attachBytes(0x10000, 0, 0), IommuStatus.RANGE),
        new Case("attach a domain of ones", Rig.attachBytes(-1, 0, 0), IommuStatus.RANGE),
        new Case("attach a bypass domain", Rig.attachBytes(3, 0, BYPASS), IommuStatus.OK),
        new Case("attach with unknown flag", Rig.attachBytes(3, 0, 2), IommuStatus.INVAL),
        new Case(
            "attach with reserved byte", with(Rig.attachBytes(3, 0, 0), 19, 1), IommuStatus.INVAL),
        new Case("bypass into a domain", Rig.attachBytes(1, 0, BYPASS), IommuStatus.INVAL),
        new Case("attach to a bypass domain", Rig.attachBytes(2, 0, 0), IommuStatus.INVAL),
        new Case("attach nobody", Rig.attachBytes(1, 0x30, 0), IommuStatus.NOENT),
        new Case("attach endpoint of ones", Rig.attachBytes(1, -1, 0), IommuStatus.NOENT),
        new Case("attach beyond 16 bits", Rig.attachBytes(1, 0x1_0020, 0), IommuStatus.NOENT),
        new Case("attach the IOMMU", Rig.attachBytes(1, 0xf8, 0), IommuStatus.NOENT),
        new Case("attach cut", cut(Rig.attachBytes(1, 0, 0), 19), IommuStatus.INVAL),
        new Case("detach", Rig.detachBytes(1, Rig.EP_A), IommuStatus.OK),
        new Case(
            "detach with reserved byte", with(Rig.detachBytes(1, Rig.EP_A), 13, 7), IommuStatus.OK),
        new Case("detach from another", Rig.detachBytes(2, Rig.EP_A), IommuStatus.INVAL),
        new Case("detach from none", Rig.detachBytes(7, Rig.EP_A), IommuStatus.INVAL),
        new Case("detach what is not attached", Rig.detachBytes(1, 0), IommuStatus.INVAL),
        new Case("detach nobody", Rig.detachBytes(1, 0x30), IommuStatus.NOENT),
        new Case("map", map(0, PAGE - 1, 0), IommuStatus.OK),
        new Case("map the last page", map((1L << 40) - PAGE, (1L << 40) - 1, 0), IommuStatus.OK),
        new Case("map no permission", Rig.mapBytes(1, 0, PAGE - 1, 0, 0), IommuStatus.OK),
        new Case("map between", map(6 * PAGE, (8 * PAGE) - 1, 0), IommuStatus.OK),
        new Case(
            "map registers", Rig.mapBytes(1, 0, PAGE - 1, 0xfee0_0000L, R | MMIO), IommuStatus.OK),
        new Case("map unaligned start", map(1, PAGE, 0), IommuStatus.RANGE),
        new Case("map unaligned start only", map(12, PAGE - 1, 0), IommuStatus.RANGE),
        new Case("map unaligned end", map(0, PAGE - 2, 0), IommuStatus.RANGE),
        new Case("map unaligned memory", map(0, PAGE - 1, 512), IommuStatus.RANGE),
        new Case(
            "map beyond the input range", map(1L << 40, (1L << 40) + 4095, 0), IommuStatus.RANGE),
        new Case("map across its end", map(0, (1L << 40) + 4095, 0), IommuStatus.RANGE),
        new Case("map all there is", map(0, -1L, 0), IommuStatus.RANGE),
        new Case("map the last of 64 bits", map(-PAGE, -1L, 0), IommuStatus.RANGE),
        new Case(
            "map to memory that wraps",
            Rig.mapBytes(1, 0, (2 * PAGE) - 1, -PAGE, RW | MMIO),
            IommuStatus.RANGE),
        new Case(
            "map beyond physical bits",
            Rig.mapBytes(1, 0, (2 * PAGE) - 1, (1L << 52) - PAGE, RW | MMIO),
            IommuStatus.RANGE),
        new Case("map nothing", map(PAGE, PAGE - 1, 0), IommuStatus.INVAL),
        new Case("map backwards", map(4 * PAGE, PAGE - 1, 0), IommuStatus.INVAL),
        new Case("map unknown flag", Rig.mapBytes(1, 0, PAGE - 1, 0, 8), IommuStatus.INVAL),
        new Case("map over the start", map(3 * PAGE, (5 * PAGE) - 1, 0), IommuStatus.INVAL),
        new Case("map over the end", map(5 * PAGE, (7 * PAGE) - 1, 0), IommuStatus.INVAL),
        new Case("map inside", map(5 * PAGE, (6 * PAGE) - 1, 0), IommuStatus.INVAL),
        new Case("map around", map(0, (16 * PAGE) - 1, 0), IommuStatus.INVAL),
        new Case("map messages", map(0xfee0_0000L, 0xfee0_0fffL, 0), IommuStatus.INVAL),
        new Case("map into messages", map(0xfedf_f000L, 0xfee0_0fffL, 0), IommuStatus.INVAL),
        new Case("map reserved", map(0x80f_f000, 0x80f_ffff, 0), IommuStatus.INVAL),
        new Case("map beside reserved", map(0x810_0000, 0x810_0fff, 0), IommuStatus.OK),
        new Case("map in a bypass domain", Rig.mapBytes(2, 0, 4095, 0, RW), IommuStatus.INVAL),
        new Case("map in no domain", Rig.mapBytes(7, 0, 4095, 0, RW), IommuStatus.NOENT),
        new Case("map out of domains", Rig.mapBytes(-1, 0, 4095, 0, RW), IommuStatus.NOENT),
        new Case("map what is no memory", map(0, PAGE - 1, Rig.RAM), IommuStatus.FAULT),
        new Case("map across its end", map(0, (2 * PAGE) - 1, Rig.RAM - PAGE), IommuStatus.FAULT),
        new Case("map too many tables", map(0x10_0000, 0x1000_0000 - 1, PAGE), IommuStatus.INVAL),
        new Case(
            "map too many nodes", map(0x1000_0000L, 0x4000_0000L - 1, PAGE), IommuStatus.NOMEM),
        new Case("map cut", cut(map(0, PAGE - 1, 0), 35), IommuStatus.INVAL),
        new Case("unmap", Rig.unmapBytes(1, 4 * PAGE, (6 * PAGE) - 1), IommuStatus.OK),
        new Case("unmap both", Rig.unmapBytes(1, 4 * PAGE, (10 * PAGE) - 1), IommuStatus.OK),
        new Case("unmap more than both", Rig.unmapBytes(1, 0, (1L << 40) - 1), IommuStatus.OK),
        new Case("unmap nothing", Rig.unmapBytes(1, 0, (4 * PAGE) - 1), IommuStatus.OK),
        new Case("unmap between, unaligned", Rig.unmapBytes(1, 25000, 25001), IommuStatus.OK),
        new Case(
            "unmap a first part", Rig.unmapBytes(1, 4 * PAGE, (5 * PAGE) - 1), IommuStatus.RANGE),
        new Case(
            "unmap a last part", Rig.unmapBytes(1, 5 * PAGE, (6 * PAGE) - 1), IommuStatus.RANGE),
        new Case("unmap one and a part", Rig.unmapBytes(1, 0, (9 * PAGE) - 1), IommuStatus.RANGE),
        new Case("unmap an inner byte", Rig.unmapBytes(1, 20000, 20000), IommuStatus.RANGE),
        new Case("unmap beyond the input range", Rig.unmapBytes(1, 0, 1L << 40), IommuStatus.RANGE),
        new Case("unmap all there is", Rig.unmapBytes(1, 0, -1L), IommuStatus.RANGE),
        new Case("unmap backwards", Rig.unmapBytes(1, PAGE, 0), IommuStatus.INVAL),
        new Case(
            "unmap with reserved byte",
            with(Rig.unmapBytes(1, 4 * PAGE, (6 * PAGE) - 1), 24, 1),
            IommuStatus.INVAL),
        new Case("unmap in a bypass domain", Rig.unmapBytes(2, 0, 4095), IommuStatus.INVAL),
        new Case("unmap in no domain", Rig.unmapBytes(7, 0, 4095), IommuStatus.NOENT),
        new Case("unmap cut", cut(Rig.unmapBytes(1, 0, 4095), 27), IommuStatus.INVAL),
        new Case("probe without room", Rig.probeBytes(Rig.EP_A), IommuStatus.INVAL));
  }

  @ParameterizedTest
  @MethodSource("table")
  void isAnsweredAsTheTableSays(final Case each) {
    final Rig rig = rig();
    final List<?> domains = rig.view.domains();
    final List<?> before = rig.view.mappings(1, 99);
    final int tables = rig.iommu.tablePages();
    assertThat(IommuStatus.name(rig.status(each.request())))
        .isEqualTo(IommuStatus.name(each.status()));
    if (each.status() != IommuStatus.OK) {
      assertThat(rig.view.domains()).isEqualTo(domains);
      assertThat(rig.view.mappings(1, 99)).isEqualTo(before);
      assertThat(rig.iommu.tablePages()).isEqualTo(tables);
      assertThat(rig.read(Rig.A, 4 * PAGE, 2 * PAGE)).isEqualTo(0x10_0000);
      assertThat(rig.read(Rig.A, 8 * PAGE, 2 * PAGE)).isEqualTo(0x20_0000);
      assertThat(rig.view.counters().failed()).isEqualTo(1);
    }
  }

  @Test
  void tooManyMappingsAreRefusedUntilOneIsGone() {
    final Rig rig = rig();
    assertThat(rig.map(1, 0, PAGE, 0)).isEqualTo(IommuStatus.OK);
    assertThat(rig.map(1, 2 * PAGE, PAGE, 0)).isEqualTo(IommuStatus.OK);
    assertThat(rig.map(1, 12 * PAGE, PAGE, 0)).isEqualTo(IommuStatus.NOMEM);
    assertThat(rig.unmap(1, 0, PAGE)).isEqualTo(IommuStatus.OK);
    assertThat(rig.map(1, 12 * PAGE, PAGE, 0)).isEqualTo(IommuStatus.OK);
  }

  @Test
  void whatWasNotNegotiatedIsRefused() {
    final Rig rig = rig();
    rig.requests = rig.model.open(0, VirtioIommuDescriptor.F_MAP_UNMAP);
    assertThat(rig.status(Rig.mapBytes(1, 0, PAGE - 1, 0, R | MMIO))).isEqualTo(IommuStatus.INVAL);
    assertThat(rig.status(Rig.attachBytes(3, 0, BYPASS))).isEqualTo(IommuStatus.INVAL);
    assertNothingWritten(rig, Rig.probeBytes(Rig.EP_A), 600);
    rig.requests = rig.model.open(0, 0);
    assertThat(rig.map(1, 0, PAGE, 0)).isEqualTo(IommuStatus.UNSUPP);
    assertThat(rig.unmap(1, 0, PAGE)).isEqualTo(IommuStatus.UNSUPP);
  }

  @Test
  void whatIsNoRequestIsGivenBackUntouched() {
    final Rig rig = rig();
    assertNothingWritten(rig, new byte[0], 4);
    assertNothingWritten(rig, new byte[3], 4);
    assertNothingWritten(rig, with(new byte[64], 0, 0), 4);
    assertNothingWritten(rig, with(new byte[64], 0, 6), 4);
    assertNothingWritten(rig, with(new byte[64], 0, 255), 4);
    assertNothingWritten(rig, Rig.unmapBytes(1, 0, (1L << 40) - 1), 3);
    assertNothingWritten(rig, Rig.unmapBytes(1, 0, (1L << 40) - 1), 0);
    assertThat(rig.view.mappings(1, 99)).hasSize(2);
    assertThat(rig.view.counters().failed()).isEqualTo(7);
  }

  private static void assertNothingWritten(final Rig rig, final byte[] bytes, final int writable) {
    final FakeRequest request = new FakeRequest(bytes, writable);
    rig.requests.handle(request);
    assertThat(request.used).isZero();
    final byte[] untouched = new byte[writable];
    Arrays.fill(untouched, (byte) 0xee);
    assertThat(request.written).isEqualTo(untouched);
  }

  @Test
  void aHeadsReservedBytesAndALongerRequestDoNotMatter() {
    final Rig rig = rig();
    assertThat(rig.status(cut(with(map(0, PAGE - 1, 0), 2, 0x55), 100))).isEqualTo(IommuStatus.OK);
    assertThat(rig.read(Rig.A, 0, PAGE)).isZero();
  }

  @Test
  void aProbeTellsReservedRanges() {
    probe(
        Rig.EP_A,
        512 + 4,
        request -> {
          assertThat(request.used).isEqualTo(516);
          final ByteBuffer b = ByteBuffer.wrap(request.written).order(ByteOrder.LITTLE_ENDIAN);
          assertThat(b.getShort(0)).isEqualTo((short) 1);
          assertThat(b.getShort(2)).isEqualTo((short) 20);
          assertThat(b.get(4)).isEqualTo((byte) VirtioIommuDescriptor.RESV_MSI);
          assertThat(b.getLong(8)).isEqualTo(0xfee0_0000L);
          assertThat(b.getLong(16)).isEqualTo(0xfeef_ffffL);
          assertThat(b.getShort(24)).isEqualTo((short) 1);
          assertThat(b.get(28)).isEqualTo((byte) VirtioIommuDescriptor.RESV_RESERVED);
          assertThat(b.getLong(32)).isEqualTo(0x800_0000L);
          assertThat(b.getLong(40)).isEqualTo(0x80f_ffffL);
          for (int i = 48; i < 516; i++) {
            assertThat(b.get(i)).as("byte %d", i).isZero(); // none, then OK
          }
        });
  }

  @Test
  void aProbeOfNobodyTellsNothing() {
    probe(
        0x30,
        516,
        request -> {
          assertThat(request.used).isEqualTo(516);
          assertThat(request.written[512]).isEqualTo((byte) IommuStatus.NOENT);
          assertThat(Arrays.copyOf(request.written, 512)).containsOnly(0);
        });
  }

  @Test
  void aProbeWithLessRoomTellsNothing() {
    probe(
        Rig.EP_A,
        515,
        request -> {
          assertThat(request.used).isEqualTo(515);
          assertThat(request.written[511]).isEqualTo((byte) IommuStatus.INVAL);
          assertThat(Arrays.copyOf(request.written, 511)).containsOnly(0xee);
        });
  }

  private static void probe(
      final int endpoint, final int writable, final Consumer<FakeRequest> check) {
    final FakeRequest request = new FakeRequest(Rig.probeBytes(endpoint), writable);
    rig().requests.handle(request);
    check.accept(request);
  }
}
