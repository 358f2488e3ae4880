package io.carom.virtio.device.net;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.NetPortInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.device.net.NetCounters.Drop;
import io.carom.virtio.device.queue.ChainSupply;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.queue.QueueMode;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceLink;
import io.carom.virtio.device.type.DeviceType;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The network device (virtio 1.4, section Network Device): a port of an in-memory switch.
 *
 * <p><b>Threads.</b> Each transmit queue has a worker, which reads a frame and carries it to the
 * receivers; there it waits, in a bounded backlog for each receive queue, for the receiver's own
 * delivery thread. A frame that finds the backlog full is dropped and counted: so a driver without
 * buffers costs its own frames only.
 *
 * <p><b>The control queue</b> is number 2 without MQ, however many pairs there are: a receive queue
 * otherwise. The delivery serves it then, as it serves what is not a worker's.
 *
 * <p><b>Frames in flight.</b> The network is one that may lose frames, so nothing is run again. A
 * frame belongs to the sender until its chain is used, and is in the receivers' backlogs then. When
 * the sender is reset, taken out or hangs, what it had not returned was not sent; what it had goes
 * its way, since the backlogs are the receivers'. When the receiver is reset or taken out, the
 * frames in its backlog are dropped and counted, and its driver's buffers are its driver's again;
 * none is written after the reset.
 *
 * <p><b>When the code is replaced</b> the driver keeps its rings, link state and pairs, and what it
 * had not got back it gets served: a frame whose chain was taken and not returned is sent again, so
 * that one may arrive twice, as on any network. The frames in the backlogs are handed to the next
 * code, at most {@value NetHandover#MOST_BYTES} bytes of them. What others send meanwhile stays in
 * their own rings, see {@link NetSwitch}: whoever hands over says which stations are there, so that
 * frames wait too for those whose code comes later than its own. With code that hangs, both kinds
 * are lost. A capture goes on in the same file, as another section.
 */
public final class NetDevice implements DeviceType, SwitchPort {
  private static final int ETHERNET_CONTROLLER = 0x020000;
  private static final String SAVED_LINK = "link";
  private static final String SAVED_PAIRS = "pairs";
  private static final String SAVED_MTU = "mtu";
  private static final String SAVED_MAC = "mac";
  private static final String UP = "up";
  private static final String DOWN = "down";

  private final NetOptions options;
  private final NetSwitch segment;
  private final @Nullable FrameCapture capture;
  private final int mostFrameBytes;
  private final ConfigSpace config = new ConfigSpace(NetDescriptor.CONFIG_SIZE);
  private final NetCounters counters = new NetCounters();
  private final FlowSteering steering = new FlowSteering();
  private final RxQueue[] receivers;
  private final RxDelivery delivery;
  private volatile @Nullable DeviceLink link;
  private volatile boolean linkUp = true;
  private volatile long accepted;
  private volatile boolean receiving;
  private volatile int activePairs = 1;
  private volatile ControlRequests control;

  /**
   * A device, which joins the switch when it is plugged in.
   *
   * @param capture where its frames are written, or null; closed with the device
   */
  public NetDevice(
      final NetOptions options, final NetSwitch segment, final @Nullable FrameCapture capture) {
    this.options = options;
    this.segment = segment;
    this.capture = capture;
    mostFrameBytes = NetDescriptor.mostFrameBytes(options.mtu());
    config.put(NetDescriptor.CONFIG_MAC, MacAddress.bytes(options.mac()));
    config.putShort(NetDescriptor.CONFIG_STATUS, NetDescriptor.S_LINK_UP);
    config.putShort(NetDescriptor.CONFIG_MAX_PAIRS, options.queuePairs());
    config.putShort(NetDescriptor.CONFIG_MTU, options.mtu());
    receivers = new RxQueue[options.queuePairs()];
    for (int i = 0; i < receivers.length; i++) {
      receivers[i] = new RxQueue(this, options.queueSize());
    }
    delivery = new RxDelivery(receivers);
    control = control(0);
  }

  private ControlRequests control(final long features) {
    return new ControlRequests(features, options.queuePairs(), this::usePairs);
  }

  // ---- what it is

  @Override
  public int id() {
    return VirtioIds.TYPE_NET;
  }

  @Override
  public String typeName() {
    return "net";
  }

  @Override
  public int classCode() {
    return ETHERNET_CONTROLLER;
  }

  @Override
  public long features() {
    return VirtioFeatures.NET_CSUM
        | VirtioFeatures.NET_GUEST_CSUM
        | VirtioFeatures.NET_MTU
        | VirtioFeatures.NET_MAC
        | VirtioFeatures.NET_MRG_RXBUF
        | VirtioFeatures.NET_STATUS
        | VirtioFeatures.NET_CTRL_VQ
        | (options.queuePairs() > 1 ? VirtioFeatures.NET_MQ : 0);
  }

  @Override
  public int queues() {
    return NetDescriptor.controlQueue(options.queuePairs()) + 1;
  }

  @Override
  public int queueSize() {
    return options.queueSize();
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public QueueMode mode(final int queue) {
    return isReceive(queue) ? QueueMode.EVENTS : QueueMode.WORKER;
  }

  private boolean isReceive(final int queue) {
    return queue % 2 == 0 && queue < NetDescriptor.controlQueue(options.queuePairs());
  }

  @Override
  public @Nullable String refuse(final long features) {
    return NetFeatures.refuse(features);
  }

  // ---- its life

  @Override
  public void plugged(final DeviceLink to) {
    link = to;
    segment.join(this);
    if (options.threads()) {
      delivery.start("net " + options.name() + " rx", this::deliverNow, this::resumed);
    }
  }

  @Override
  public void negotiated(final long features) {
    accepted = features;
    control = control(features);
    if ((features & VirtioFeatures.NET_MQ) == 0) {
      activePairs = 1; // also when a saved state says otherwise
    }
    open(features == 0 ? 0 : activePairs);
    receiving = features != 0;
    segment.returned(options.mac()); // also one that nobody drives: what it is sent is dropped
  }

  @Override
  public QueueHandler open(final int queue, final long features) {
    return queue % 2 == 0
        ? control(features)
        : new TxQueue(this, queue / 2, features, mostFrameBytes);
  }

  @Override
  public void buffersAdded(final int queue) {
    if (queue == NetDescriptor.controlQueue(1) && (accepted & VirtioFeatures.NET_MQ) == 0) {
      delivery.controlRequested();
    } else {
      delivery.buffersAdded(queue / 2);
    }
  }

  @Override
  public void reset() {
    receiving = false;
    accepted = 0;
    activePairs = 1;
    steering.forget();
    if (capture != null) {
      capture.begin(false);
    }
    for (final RxQueue receiver : receivers) {
      close(receiver);
    }
  }

  private void close(final RxQueue receiver) {
    counters.drop(Drop.RX_NOT_READY, receiver.backlog().close());
    receiver.blocked(false);
  }

  @Override
  public void unplugged() {
    segment.leave(this);
    delivery.stop();
    link = null;
    reset();
  }

  @Override
  public void close() {
    segment.leave(this);
    delivery.stop();
    if (capture != null) {
      capture.close();
    }
  }

  @Override
  public Map<String, String> save() {
    final Map<String, String> saved = new TreeMap<>();
    saved.put(SAVED_LINK, linkUp ? UP : DOWN);
    saved.put(SAVED_PAIRS, Integer.toString(activePairs));
    saved.put(SAVED_MTU, Integer.toString(options.mtu()));
    saved.put(SAVED_MAC, MacAddress.text(options.mac()));
    return saved;
  }

  /** With the frames that wait, whose senders have their chains back, and who else is there. */
  @Override
  public Map<String, String> handOver() {
    final Map<String, String> saved = save();
    if (receiving) {
      segment.goesAway(options.mac()); // first, so that it is not missed in between
      receiving = false;
    }
    delivery.settle();
    NetHandover.save(saved, segment, options.mac(), receivers);
    return saved;
  }

  /** A station does not change its address under its driver: that is another device. */
  @Override
  public void resume(final Map<String, String> kept) {
    final String mac = MacAddress.text(options.mac());
    if (!kept.getOrDefault(SAVED_MAC, mac).equals(mac)) {
      segment.returned(MacAddress.parse(kept.getOrDefault(SAVED_MAC, mac)));
      throw new IllegalArgumentException(
          "the kept mac=" + kept.get(SAVED_MAC) + " is not this device's mac=" + mac);
    }
    final NetHandover handed = NetHandover.read(kept, segment, receivers.length, mostFrameBytes);
    restore(kept);
    if (handed != null) {
      handed.resume(segment, receivers);
    }
    if (capture != null) {
      capture.begin(true);
    }
  }

  @Override
  public void restore(final Map<String, String> saved) {
    final String up = saved.getOrDefault(SAVED_LINK, UP);
    if (!up.equals(UP) && !up.equals(DOWN)) {
      throw new IllegalArgumentException("saved link=" + up + " is neither up nor down");
    }
    final int pairs = number(saved, SAVED_PAIRS, 1, options.queuePairs(), "queuePairs");
    // its driver was told that packets of that size can be sent
    number(saved, SAVED_MTU, NetDescriptor.MIN_MTU, options.mtu(), "mtu");
    linkUp(up.equals(UP));
    activePairs = pairs; // their queues are opened when the features are known
  }

  private static int number(
      final Map<String, String> saved,
      final String key,
      final int least,
      final int most,
      final String knob) {
    final String text = saved.getOrDefault(key, Integer.toString(least));
    final int number;
    try {
      number = Integer.parseInt(text);
    } catch (final NumberFormatException e) {
      throw new IllegalArgumentException("saved " + key + "=" + text + " is not a number", e);
    }
    if (number < least || number > most) {
      throw new IllegalArgumentException(
          "saved "
              + key
              + "="
              + text
              + " is not in "
              + least
              + ".."
              + most
              + ", the device's "
              + knob);
    }
    return number;
  }

  // ---- frames

  /**
   * The guest sent a frame on a pair of queues.
   *
   * @param again whether it was sent before, and held back
   * @return false when it is to be held back until its receiver's code is there
   */
  boolean transmit(final int pair, final Frame frame, final boolean again) {
    if (!linkUp) {
      counters.drop(Drop.TX_LINK_DOWN);
      return true;
    }
    if (!again) {
      counters.txFrames.increment();
      counters.txBytes.add(frame.length);
      if (activePairs > 1) {
        steering.sent(frame, pair);
      }
      if (capture != null) {
        capture.frame(frame, FrameCapture.OUTBOUND);
      }
    }
    final boolean sent = segment.forward(this, frame);
    if (!sent) {
      delivery.hold();
    }
    return sent;
  }

  /** Frames that were held back may go. */
  @Override
  public void resumed() {
    final DeviceLink to = link;
    for (int i = 0; to != null && i < receivers.length; i++) {
      to.serve(NetDescriptor.transmitQueue(i));
    }
  }

  @Override
  public long station() {
    return receiving ? options.mac() : NO_STATION;
  }

  @Override
  public boolean deliver(final Frame frame) {
    if (!linkUp) {
      counters.drop(Drop.RX_LINK_DOWN);
      return true;
    }
    if (frame.length > mostFrameBytes) {
      counters.drop(Drop.RX_OVERSIZE); // from a port with a larger MTU
      return true;
    }
    final RxQueue receiver = receivers[steering.choose(frame, activePairs)];
    final RxBacklog.Offer offer = receiver.backlog().offer(frame);
    switch (offer) {
      case TAKEN -> delivery.wake();
      case CLOSED -> counters.drop(Drop.RX_NOT_READY);
      case FULL -> counters.drop(Drop.RX_NO_BUFFER);
      case AWAY -> {}
    }
    return offer != RxBacklog.Offer.AWAY;
  }

  /** A frame was put into the driver's buffers. */
  void received(final Frame frame) {
    counters.rxFrames.increment();
    counters.rxBytes.add(frame.length);
    if (capture != null) {
      capture.frame(frame, FrameCapture.INBOUND);
    }
  }

  /** Carries what waits into the driver's buffers, on this thread: for devices without threads. */
  public void deliverNow() {
    final DeviceLink to = link;
    if (to != null) {
      delivery.pass(to, NetDescriptor.controlQueue(1), this::serveControl);
    }
  }

  private boolean serveControl(final ChainSupply chains) throws QueueException {
    final DescriptorChain chain = chains.next();
    if (chain == null) {
      return false;
    }
    control.handle(chain);
    return true;
  }

  /** Uses as many pairs from now on; the others' frames are dropped. */
  private void usePairs(final int pairs) {
    delivery.whileIdle(
        () -> {
          activePairs = pairs;
          open(pairs);
        });
    changed();
  }

  private void changed() {
    final DeviceLink to = link;
    if (to != null) {
      to.changed();
    }
  }

  /** Takes frames for as many pairs, and for no others. */
  private void open(final int pairs) {
    for (int i = 0; i < receivers.length; i++) {
      if (i < pairs) {
        receivers[i].backlog().open();
      } else {
        close(receivers[i]);
      }
    }
  }

  long accepted() {
    return accepted;
  }

  NetCounters counters() {
    return counters;
  }

  // ---- for the host

  /** Puts the cable in, or takes it out; the driver is told, if it wants to know. */
  public void linkUp(final boolean up) {
    linkUp = up;
    config.putShort(NetDescriptor.CONFIG_STATUS, up ? NetDescriptor.S_LINK_UP : 0);
    final DeviceLink to = link;
    if (to != null && (accepted & VirtioFeatures.NET_STATUS) != 0) {
      to.configChanged();
    } else {
      changed();
    }
  }

  /** Has the device ask its driver for a reset, as after an error of its own. */
  public void needsReset(final String reason) {
    final DeviceLink to = link;
    if (to != null) {
      to.needsReset(reason);
    }
  }

  /** Its state as a port of the switch. */
  public NetPortInfo info() {
    return new NetPortInfo(
        options.name(),
        MacAddress.text(options.mac()),
        segment.name(),
        linkUp,
        options.mtu(),
        options.queuePairs(),
        activePairs,
        counters.txFrames.sum(),
        counters.txBytes.sum(),
        counters.rxFrames.sum(),
        counters.rxBytes.sum(),
        counters.drops(),
        capture == null ? null : capture.path().toString(),
        capture == null ? 0 : capture.frames(),
        capture == null ? 0 : capture.dropped());
  }

  @Override
  public long requests() {
    return counters.txFrames.sum() + counters.rxFrames.sum();
  }

  @Override
  public String backend() {
    return "segment "
        + segment.name()
        + ", "
        + MacAddress.text(options.mac())
        + ", link "
        + (linkUp ? UP : DOWN)
        + ", "
        + counters.dropped()
        + " frames dropped";
  }
}
