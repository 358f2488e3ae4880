package io.carom.virtio.device.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.net.NetDevice;
import io.carom.virtio.device.net.NetOptions;
import io.carom.virtio.device.net.NetSwitch;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.TestBus;
import io.carom.virtio.testkit.TestDriver;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.Used;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A hostile driver of a network device, while the device at the other end of the wire serves. */
class HostileNetTest {
  private static final int QUEUES = 3;
  private static final int SIZE = 64;
  private static final long DATA = 0x40000;
  private static final int FRAME = NetDescriptor.ETHERNET_HEADER + 50;

  /** One station. */
  private static final class Station {
    final NetDevice device;
    final VirtioPciFunction function;
    final TestBus bus;
    final TestDriver driver;
    TestRing[] rings = {};

    Station(final NetSwitch segment, final int number) {
      final NetOptions options =
          new NetOptions("net" + number, 0x5254_0000_0000L + number, 1, SIZE, 1500, false);
      device = new NetDevice(options, segment, null);
      function =
          new VirtioFunctionBuilder("net" + number, device)
              .workers(WorkerOptions.manual())
              .errors(Disks.quiet())
              .build();
      bus = new TestBus(0);
      driver =
          new TestDriver(
              function,
              bus,
              () -> {
                function.processNow();
                device.deliverNow();
              });
    }

    void start(final RingLayout layout, final long features) {
      rings = new TestRing[QUEUES];
      bus.memory().fill(0x10000, 0x20000, 0);
      for (int i = 0; i < QUEUES; i++) {
        rings[i] = layout.open(bus.memory(), SIZE, 0x10000 + 0x8000L * i);
      }
      driver.start(features | layout.features(), rings);
    }

    /** Sends a frame, header and all. */
    int send(final byte[] frame) {
      bus.memory().fill(DATA, NetDescriptor.HEADER_SIZE, 0);
      bus.memory().put(DATA + NetDescriptor.HEADER_SIZE, frame);
      final int id = rings[1].add(Element.readable(DATA, NetDescriptor.HEADER_SIZE + frame.length));
      driver.kick(1);
      driver.work();
      return id;
    }
  }

  private final NetSwitch segment = new NetSwitch("wire");
  private final Station bad = new Station(segment, 1);
  private final Station good = new Station(segment, 2);

  private record Row(String name, boolean broken, Consumer<Station> action) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Row transmit(final String name, final boolean broken, final Element... chain) {
    return new Row(
        name,
        broken,
        station -> {
          station.rings[1].add(chain);
          station.driver.kick(1);
        });
  }

  private static Row header(final String name, final int at, final int value) {
    return new Row(
        name,
        false,
        station -> {
          station.bus.memory().put16(DATA + at, value);
          station.rings[1].add(Element.readable(DATA, NetDescriptor.HEADER_SIZE + FRAME));
          station.driver.kick(1);
        });
  }

  private static Row control(final String name, final int... bytes) {
    return new Row(
        name,
        false,
        station -> {
          final byte[] command = new byte[bytes.length];
          for (int i = 0; i < bytes.length; i++) {
            command[i] = (byte) bytes[i];
          }
          station.bus.memory().put(DATA, command);
          station.rings[2].add(
              Element.readable(DATA, command.length), Element.writable(DATA + 0x100, 1));
          station.driver.kick(2);
          station.driver.work();
          assertThat(station.rings[2].take()).isNotNull();
          assertThat(station.bus.memory().get8(DATA + 0x100)).isEqualTo(NetDescriptor.CTRL_ERR);
        });
  }

  private static Stream<Row> rows() {
    final int whole = NetDescriptor.HEADER_SIZE + FRAME;
    return Stream.of(
        transmit("frame without memory", true, Element.readable(TestBus.RAM_BYTES, whole)),
        transmit(
            "frame in registers",
            true,
            Element.readable(new TestBus(4096, 0).registersBase(), whole)),
        transmit("frame of length 0", true, Element.readable(DATA, 0)),
        transmit("CVE-2023-6693 half a header", false, Element.readable(DATA, 6)),
        transmit("CVE-2023-6693 header of 10 bytes", false, Element.readable(DATA, 10)),
        transmit("a header and nothing", false, Element.readable(DATA, NetDescriptor.HEADER_SIZE)),
        transmit("a frame of 13 bytes", false, Element.readable(DATA, 12 + 13)),
        transmit("a frame of 64 KiB and more", false, Element.readable(DATA, 0x20000)),
        header("segmentation that was not negotiated", NetDescriptor.HEADER_FLAGS, 0x0100),
        header("checksum that was not negotiated", NetDescriptor.HEADER_FLAGS, 1),
        header("checksum far outside", NetDescriptor.HEADER_CSUM_START, 0xffff),
        control("control: unknown class", 99, 0, 1, 0),
        control("control: unknown command", 4, 99, 1, 0),
        control("control: no pairs", 4, 0, 0, 0),
        control("control: too many pairs", 4, 0, 2, 0),
        control("control: 65535 pairs", 4, 0, 0xff, 0xff),
        control("control: one byte", 4),
        control("control: a byte too many", 4, 0, 1, 0, 0));
  }

  static Stream<Arguments> arguments() {
    return Rig.layouts().flatMap(layout -> rows().map(row -> Arguments.of(layout, row)));
  }

  @DisplayName(
      "S3 H5 H6 H30 CVE-2023-6693 D: bad frames and commands cost their own device at most")
  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("arguments")
  void badFramesAndCommands(final RingLayout layout, final Row row) {
    bad.start(layout, VirtioFeatures.NET_CTRL_VQ);
    good.start(RingLayout.SPLIT, 0);
    row.action.accept(bad);
    bad.driver.work();
    assertThat(bad.driver.needsReset()).isEqualTo(row.broken);
    assertThat(bad.bus.openSections()).isZero();
    bad.driver.status(0);
    bad.start(layout, VirtioFeatures.NET_CTRL_VQ);
    assertFrameArrives();
    bad.function.unplugged();
    good.function.unplugged();
  }

  private void assertFrameArrives() {
    // what was sent before may still come first
    for (int i = 0; i < 4; i++) {
      good.rings[0].add(Element.writable(DATA + 0x1000 + 0x1000L * i, 0x800));
    }
    good.driver.kick(0);
    good.driver.work();
    while (good.rings[0].take() != null) {
      // a frame of before
    }
    final byte[] frame = new byte[FRAME];
    Arrays.fill(frame, (byte) 0x5c);
    Arrays.fill(frame, 0, 6, (byte) 0xff);
    frame[6] = 2;
    final int id = bad.send(frame);
    assertThat(Objects.requireNonNull(bad.rings[1].take()).id()).isEqualTo(id);
    good.driver.work();
    final Used used = good.rings[0].take();
    assertThat(Objects.requireNonNull(used).length())
        .isEqualTo(NetDescriptor.HEADER_SIZE + frame.length);
    boolean found = false;
    for (int i = 0; i < 4; i++) {
      found |=
          Arrays.equals(
              good.bus.memory().bytes(DATA + 0x1000 + 0x1000L * i + 12, frame.length), frame);
    }
    assertThat(found).isTrue();
    assertThat(good.driver.needsReset()).isFalse();
  }
}
