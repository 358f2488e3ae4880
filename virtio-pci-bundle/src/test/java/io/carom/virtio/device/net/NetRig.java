package io.carom.virtio.device.net;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A network device with a driver that is as raw as its queues. */
final class NetRig {
  static final int SIZE = 64;
  static final int MTU = 1500;
  static final int BUFFERS = 0x10_0000;
  static final int CONFIG = 0x2000;
  static final long ALL =
      VirtioFeatures.NET_CSUM
          | VirtioFeatures.NET_GUEST_CSUM
          | VirtioFeatures.NET_MTU
          | VirtioFeatures.NET_MAC
          | VirtioFeatures.NET_MRG_RXBUF
          | VirtioFeatures.NET_STATUS
          | VirtioFeatures.NET_CTRL_VQ;

  final long mac;
  final NetDevice device;
  final Driver driver;
  final FakeBus bus;
  final DriverQueue[] queues;
  private final boolean threads;
  private final int[] next;
  private final int[] seen;

  NetRig(final NetSwitch segment, final String name, final int pairs) {
    this(segment, name, pairs, MTU, false, null);
  }

  NetRig(
      final NetSwitch segment,
      final String name,
      final int pairs,
      final int mtu,
      final boolean threads,
      final @Nullable FrameCapture capture) {
    this(segment, name, pairs, mtu, threads, capture, new FakeBus(0));
  }

  private NetRig(
      final NetSwitch segment,
      final String name,
      final int pairs,
      final int mtu,
      final boolean threads,
      final @Nullable FrameCapture capture,
      final FakeBus bus) {
    this.threads = threads;
    this.bus = bus;
    mac = MacAddress.of(name);
    device = new NetDevice(new NetOptions(name, mac, pairs, SIZE, mtu, threads), segment, capture);
    driver =
        new Driver(
            new VirtioFunctionBuilder(name, device)
                .workers(threads ? WorkerOptions.threaded() : WorkerOptions.manual())
                .errors(Disks.quiet())
                .build(),
            bus);
    queues = new DriverQueue[2 * pairs + 1];
    next = new int[queues.length];
    seen = new int[queues.length];
  }

  /** Another device in its place, as after a reset, and the same driver with its queues. */
  NetRig replaced(final NetSwitch segment) {
    driver.function.unplugged();
    device.close();
    final NetRig after =
        new NetRig(segment, device.info().name(), queues.length / 2, MTU, threads, null, bus);
    System.arraycopy(queues, 0, after.queues, 0, queues.length);
    System.arraycopy(next, 0, after.next, 0, next.length);
    System.arraycopy(seen, 0, after.seen, 0, seen.length);
    return after;
  }

  /** Negotiates and enables all queues. */
  NetRig start(final long features) {
    if (!driver.negotiate(features)) {
      throw new AssertionError("FEATURES_OK was refused");
    }
    bus.msix = true;
    driver.set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    for (int i = 0; i < queues.length; i++) {
      queues[i] = new DriverQueue(bus, SIZE, 0x10000L * (i + 1));
      driver.bytes(queues[i].avail, new byte[SIZE * 2 + 6]);
      driver.bytes(queues[i].used, new byte[SIZE * 8 + 6]);
      next[i] = 0;
      seen[i] = 0;
      driver.enable(i, queues[i]);
    }
    driver.ready();
    return this;
  }

  /** Offers a chain, its descriptors of these lengths one behind the other in memory. */
  int offer(final int queue, final boolean writable, final int... lengths) {
    final int head = next[queue];
    long at = BUFFERS + 0x4_0000L * queue + 0x1000L * head;
    for (int i = 0; i < lengths.length; i++) {
      final int flags = (writable ? Driver.WRITE : 0) | (i + 1 < lengths.length ? Driver.NEXT : 0);
      final int index = (head + i) % SIZE;
      queues[queue].desc(index, at, lengths[i], flags, (index + 1) % SIZE);
      at += lengths[i];
    }
    queues[queue].offer(head);
    next[queue] = (head + lengths.length) % SIZE;
    return head;
  }

  long address(final int queue, final int head) {
    return BUFFERS + 0x4_0000L * queue + 0x1000L * head;
  }

  /** Sends a packet from one buffer, or cut as given, and has it served. */
  void send(final int pair, final byte[] packet, final int... cut) {
    final int queue = NetDescriptor.transmitQueue(pair);
    final int[] lengths = cut.length == 0 ? new int[] {packet.length} : cut;
    driver.bytes(address(queue, next[queue]), packet);
    offer(queue, false, lengths);
    kick(queue);
  }

  /** Offers a receive buffer. */
  int receive(final int pair, final int... lengths) {
    return offer(NetDescriptor.receiveQueue(pair), true, lengths);
  }

  /** Rings a doorbell, and serves it unless a thread does. */
  void kick(final int queue) {
    driver.kick(queue);
    if (!threads) {
      driver.function.processNow();
    }
  }

  /** The next packet that was received on a pair, of one buffer; null when there is none. */
  byte @Nullable [] received(final int pair) {
    final int queue = NetDescriptor.receiveQueue(pair);
    if (queues[queue].usedIndex() == (seen[queue] & 0xffff)) {
      return null;
    }
    final int slot = seen[queue]++;
    return driver.bytes(address(queue, queues[queue].usedId(slot)), queues[queue].usedLength(slot));
  }

  byte[] mustReceive(final int pair) {
    final byte[] packet = received(pair);
    if (packet == null) {
      throw new AssertionError("nothing was received");
    }
    return packet;
  }

  /** Sends a control request; the answer. */
  int control(final int queue, final byte[] request, final int... cut) {
    final int[] lengths = cut.length == 0 ? new int[] {request.length} : cut;
    final int head = next[queue];
    final long at = address(queue, head);
    driver.bytes(at, request);
    driver.bytes(at + request.length, new byte[] {(byte) 0xee});
    long from = at;
    for (int i = 0; i < lengths.length; i++) {
      final int index = (head + i) % SIZE;
      queues[queue].desc(index, from, lengths[i], Driver.NEXT, (index + 1) % SIZE);
      from += lengths[i];
    }
    queues[queue].desc((head + lengths.length) % SIZE, from, 1, Driver.WRITE, 0);
    queues[queue].offer(head);
    next[queue] = (head + lengths.length + 1) % SIZE;
    kick(queue);
    device.deliverNow();
    return driver.byteAt(at + request.length);
  }

  /** A frame from this station to another, or to the broadcast address. */
  byte[] frame(final long to, final int length, final Random random) {
    final byte[] frame = new byte[length];
    random.nextBytes(frame);
    System.arraycopy(MacAddress.bytes(to), 0, frame, 0, 6);
    System.arraycopy(MacAddress.bytes(mac), 0, frame, 6, 6);
    frame[12] = (byte) 0x88;
    frame[13] = (byte) 0xb5; // local experimental
    return frame;
  }

  static byte[] packet(final byte[] frame) {
    return packet(new byte[NetDescriptor.HEADER_SIZE], frame);
  }

  static byte[] packet(final byte[] header, final byte[] frame) {
    final byte[] packet = Arrays.copyOf(header, header.length + frame.length);
    System.arraycopy(frame, 0, packet, header.length, frame.length);
    return packet;
  }

  static byte[] header(final int flags, final int gso, final int start, final int offset) {
    final byte[] header = new byte[NetDescriptor.HEADER_SIZE];
    header[0] = (byte) flags;
    header[1] = (byte) gso;
    header[6] = (byte) start;
    header[7] = (byte) (start >>> 8);
    header[8] = (byte) offset;
    header[9] = (byte) (offset >>> 8);
    return header;
  }

  static byte[] frameOf(final byte[] packet) {
    return Arrays.copyOfRange(packet, NetDescriptor.HEADER_SIZE, packet.length);
  }

  static int half(final byte[] packet, final int at) {
    return (packet[at] & 0xff) | (packet[at + 1] & 0xff) << 8;
  }

  long dropped(final String reason) {
    return device.info().drops().getOrDefault(reason, 0L);
  }
}
