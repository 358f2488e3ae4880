package io.carom.virtio.device.net;

import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Slot;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All network devices of a segment, whose code is replaced while one sends to another. */
@Timeout(600)
class ReplacedSegmentTest {
  private static final int QUEUE_SIZE = 64;
  private static final int PACKET = 80;
  private static final long DATA = 0x100000;
  private static final long FEATURES =
      VirtioFeatures.NET_MAC | VirtioFeatures.NET_STATUS | VirtioFeatures.NET_CTRL_VQ;

  private NetSwitch segment = new NetSwitch("lan");
  private boolean threads;

  /** A device with its driver. */
  private final class Station {
    private final String name;
    private final Rings kind;
    private final Slot slot;
    private final List<DriverRing> rings = new ArrayList<>();
    private NetDevice device;
    private int offered;

    Station(final String name, final Rings kind) {
      this.name = name;
      this.kind = kind;
      device = made();
      slot =
          new Slot(
              new FakeBus(0),
              records -> {
                device = made();
                return new VirtioFunctionBuilder(name, device)
                    .workers(threads ? WorkerOptions.threaded() : WorkerOptions.manual())
                    .errors(Disks.quiet())
                    .records(records)
                    .build();
              });
    }

    private NetDevice made() {
      return new NetDevice(
          new NetOptions(name, MacAddress.of(name), 1, QUEUE_SIZE, 1500, threads), segment, null);
    }

    Station start() {
      final Driver driver = slot.driver();
      assertThat(driver.negotiate(FEATURES | kind.features)).isTrue();
      driver.set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
      for (int i = 0; i < 3; i++) {
        rings.add(kind.make(slot.bus, QUEUE_SIZE, 0x10000L * (i + 1)));
        driver.enable(i, rings.get(i));
      }
      driver.ready();
      return this;
    }

    /** Sends a frame with a number; its driver has at most a queue's size of them in flight. */
    void send(final Station to, final int number) {
      final byte[] packet = new byte[PACKET];
      System.arraycopy(
          MacAddress.bytes(MacAddress.of(to.name)), 0, packet, NetDescriptor.HEADER_SIZE, 6);
      System.arraycopy(
          MacAddress.bytes(MacAddress.of(name)), 0, packet, NetDescriptor.HEADER_SIZE + 6, 6);
      packet[NetDescriptor.HEADER_SIZE + 14] = (byte) number;
      packet[NetDescriptor.HEADER_SIZE + 15] = (byte) (number >> 8);
      final int head = number % QUEUE_SIZE;
      final long at = DATA + 0x100L * head;
      slot.driver().bytes(at, packet);
      rings.get(1).desc(head, at, PACKET, 0, 0);
      rings.get(1).offer(head);
      slot.driver().kick(1);
    }

    void serve() {
      slot.driver().function.processNow();
      device.deliverNow();
    }

    void buffers(final int upTo) {
      final DriverRing rx = rings.getFirst();
      for (; offered < upTo; offered++) {
        final int head = offered % QUEUE_SIZE;
        rx.desc(head, DATA + 0x10000 + 0x100L * head, 0x100, WRITE, 0);
        rx.offer(head);
      }
      slot.driver().kick(0);
    }

    int number(final int used) {
      final long at = DATA + 0x10000 + 0x100L * rings.getFirst().usedId(used);
      final byte[] packet = slot.driver().bytes(at, PACKET);
      return (packet[NetDescriptor.HEADER_SIZE + 14] & 0xff)
          | (packet[NetDescriptor.HEADER_SIZE + 15] & 0xff) << 8;
    }
  }

  private final List<Station> stations = new ArrayList<>();

  private Station station(final String name, final Rings kind) {
    final Station made = new Station(name, kind);
    stations.add(made);
    return made.start();
  }

  @AfterEach
  void stop() {
    for (final Station station : stations) {
      station.slot.driver().function.unplugged();
      station.device.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SPLIT, true, true",
    "SPLIT, true, false",
    "SPLIT, false, true",
    "PACKED, false, false",
    "PACKED_IN_ORDER, true, true"
  })
  @DisplayName("whoever goes first, and whoever comes first, each frame arrives, in its order")
  void bundle(final Rings kind, final boolean receiverGoesFirst, final boolean senderComesFirst) {
    final Station a = station("a", kind);
    final Station b = station("b", kind);
    b.send(a, 0); // is learned
    b.serve();
    a.send(b, 0);
    a.serve(); // waits in b, which has no buffers
    final Station goesFirst = receiverGoesFirst ? b : a;
    final Station goesThen = receiverGoesFirst ? a : b;
    goesFirst.slot.detach();
    if (receiverGoesFirst) {
      a.send(b, 1);
      a.serve(); // stays with the sender
      assertThat(a.rings.get(1).usedIndex()).isEqualTo(1);
    }
    goesThen.slot.detach();
    segment = new NetSwitch("lan"); // that of the next bundle
    final Station comesFirst = senderComesFirst ? a : b;
    comesFirst.slot.attach();
    a.send(b, receiverGoesFirst ? 2 : 1); // a doorbell is kept, if its device is away
    comesFirst.serve();
    (senderComesFirst ? b : a).slot.attach();
    b.buffers(8);
    a.serve();
    b.serve();
    final int frames = receiverGoesFirst ? 3 : 2;
    assertThat(b.rings.getFirst().usedIndex()).isEqualTo(frames);
    for (int i = 0; i < frames; i++) {
      assertThat(b.number(i)).isEqualTo(i);
    }
    assertThat(a.device.info().drops()).isEmpty();
    assertThat(b.device.info().drops()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"SPLIT, false", "PACKED, false", "SPLIT, true", "PACKED, true"})
  @DisplayName("replaced again and again under load, with threads: none is lost, nor overtaken")
  void underLoad(final Rings kind, final boolean whole) throws InterruptedException {
    threads = true;
    final Station a = station("a", kind);
    final Station b = station("b", kind);
    final int frames = 2_000;
    final int inFlight = 16;
    b.buffers(QUEUE_SIZE);
    int sent = 0;
    int read = 0;
    int last = -1;
    int next = 100;
    while (read < frames) {
      while (sent < frames && sent - a.rings.get(1).usedIndex() < inFlight && sent - last < 32) {
        a.send(b, sent++);
      }
      while (read < b.rings.getFirst().usedIndex()) {
        final int number = b.number(read++);
        assertThat(number).as("none is left out").isLessThanOrEqualTo(last + 1);
        last = Math.max(last, number);
        b.buffers(QUEUE_SIZE + read);
      }
      if (last >= next) {
        next += 100;
        b.slot.detach();
        if (whole) {
          a.slot.detach();
          segment = new NetSwitch("lan");
          a.slot.attach();
        }
        Thread.sleep(2);
        b.slot.attach();
      }
      if (last == frames - 1) {
        break;
      }
      Thread.onSpinWait();
    }
    assertThat(last).isEqualTo(frames - 1);
  }
}
