package io.carom.guest.shim.console;

import io.carom.dma.DmaMemoryException;
import io.carom.guest.shim.iommu.LineLimit;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioPciTransport.ResetOutcome;
import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A console device under its driver, from probe to removal.
 *
 * <p><b>Threads.</b> The interrupt thread reads all receive queues and the control messages, with
 * the object's lock; the work thread takes it to reset or remove the device. Who writes to a port
 * does so on its own thread, see {@link PortQueues}.
 *
 * <p><b>Resets.</b> A device that breaks a rule or asks for a reset is reset and started anew; its
 * ports stay, and the device is told again which of them are open. One that has sent nothing since
 * the last time is given up. For the DMA core it is reset whatever it sent.
 */
final class ConsoleBinding implements PciDriver.Binding {
  private static final String NAME = "virtio_console";
  private static final int MOST_LABEL = 64;

  /** Messages and ports of one turn on the interrupt thread, which others want too. */
  private static final int MESSAGES_IN_A_ROW = 64;

  private final ConsolePlatform platform;
  private final VirtioDevice device;
  private final List<VirtQueue> rings;
  private final @Nullable PortQueues[] queues;
  private final @Nullable GuestPort[] ports;
  private final LineLimit log;
  private final AtomicBoolean recovering = new AtomicBoolean();
  private @Nullable ControlChannel control;
  private IrqThread.@Nullable Handler handler;
  private int number = -1;
  private volatile boolean live;
  private volatile boolean removed;
  private long progress;
  private long progressAtReset = -1;
  private boolean givenUp; // of the work thread

  ConsoleBinding(
      final ConsolePlatform platform,
      final VirtioDevice device,
      final List<VirtQueue> rings,
      final int maxPorts) {
    this.platform = platform;
    this.device = device;
    this.rings = rings;
    queues = new PortQueues[maxPorts];
    ports = new GuestPort[maxPorts];
    log = new LineLimit(device.dmesg(), NAME + " " + device.name() + ": ", platform.clock());
  }

  // ---- probe and removal, on the work thread

  void allocate() throws ProbeException {
    number = platform.registry().takeDevice();
    handler = platform.irqThread().handler(NAME + "-" + device.name(), this::interrupted);
    try {
      for (int i = 0; i < queues.length; i++) {
        queues[i] =
            new PortQueues(
                rings.get(ConsoleDescriptor.receiveQueue(i)),
                rings.get(ConsoleDescriptor.transmitQueue(i)),
                device.dma());
      }
      if (device.has(VirtioFeatures.CONSOLE_MULTIPORT)) {
        control =
            new ControlChannel(
                rings.get(ConsoleDescriptor.CONTROL_RECEIVE),
                rings.get(ConsoleDescriptor.CONTROL_TRANSMIT),
                device.dma());
      }
    } catch (final DmaMemoryException e) {
      throw new ProbeException("no memory for buffers: " + e.getMessage());
    }
  }

  /** The kernel's work thread. */
  Executor work() {
    return platform.work();
  }

  /** What each queue's interrupt wakes. */
  List<Runnable> wakes() {
    final List<Runnable> wakes = new ArrayList<>();
    for (int i = 0; i < rings.size(); i++) {
      wakes.add(this::wake);
    }
    for (int i = 0; i < queues.length; i++) {
      final PortQueues of = queues[i];
      if (of != null) {
        wakes.set(ConsoleDescriptor.transmitQueue(i), of::wake);
      }
    }
    return wakes;
  }

  /** Shows the queues to the device, which was negotiated with, and starts the conversation. */
  void start() throws ProbeException {
    synchronized (this) {
      device.enableQueues();
      device.start();
      for (final PortQueues of : queues) {
        if (of != null) {
          of.restart();
        }
      }
      live = true;
      final ControlChannel channel = control;
      if (channel == null) {
        addAlone();
      } else {
        channel.restart();
        channel.send(0, ConsoleDescriptor.DEVICE_READY, 1);
      }
    }
    wake(); // for what came before interrupts were on
  }

  /** The device has one port, which is a console and open. */
  private void addAlone() {
    final GuestPort port = add(0);
    if (port != null) {
      port.hostOpen(true);
      readSize();
      console(port);
    }
  }

  /** The probe failed: the device was reset. */
  void abandon() {
    end();
  }

  @Override
  public void remove(final boolean gone) {
    live = false;
    removed = true;
    if (!gone) {
      device.quiesce();
    }
    end();
    device.free();
  }

  private void end() {
    removed = true;
    live = false;
    final IrqThread.Handler reads = handler;
    if (reads != null) {
      reads.close();
    }
    synchronized (this) { // the interrupt thread is out of here
      for (int i = 0; i < ports.length; i++) {
        removePort(i);
      }
      for (final PortQueues of : queues) {
        if (of != null) {
          of.stop();
          of.free();
        }
      }
      final ControlChannel channel = control;
      if (channel != null) {
        channel.free();
        control = null;
      }
    }
    if (number >= 0) {
      platform.registry().releaseDevice(number);
    }
  }

  // ---- reading, on the interrupt thread

  /** Has the interrupt thread look. Any thread. */
  void wake() {
    final IrqThread.Handler reads = handler;
    if (reads != null) {
      reads.wake();
    }
  }

  private void interrupted() {
    String violation = null;
    boolean again = false;
    synchronized (this) {
      if (!live) {
        return;
      }
      final ControlChannel channel = control;
      if (channel != null) {
        channel.push();
        int messages = 0;
        while (messages < MESSAGES_IN_A_ROW && channel.read(this::message)) {
          messages++;
          progress++;
        }
        again = channel.rearm() || messages == MESSAGES_IN_A_ROW;
        violation = channel.violation();
      }
      for (int i = 0; i < ports.length; i++) {
        final GuestPort port = ports[i];
        final PortQueues of = queues[i];
        if (port != null && of != null) {
          final int room = port.input().room();
          again |= of.drain(port.input());
          progress += room == port.input().room() ? 0 : 1;
          violation = violation == null ? of.violation() : violation;
        }
      }
    }
    if (violation != null) {
      broken(violation);
    } else if (again) {
      wake();
    }
  }

  /** The configuration interrupt, on the interrupt thread. */
  void configChanged() {
    if (device.needsReset()) {
      broken("device needs reset");
    } else {
      synchronized (this) {
        if (live && control == null) {
          readSize();
        }
      }
    }
  }

  private void readSize() {
    final GuestPort port = ports[0];
    if (port != null && device.has(VirtioFeatures.CONSOLE_SIZE)) {
      port.size(
          (int) device.transport().config(ConsoleDescriptor.CONFIG_COLS, 2),
          (int) device.transport().config(ConsoleDescriptor.CONFIG_ROWS, 2));
    }
  }

  private void message(final byte[] bytes) {
    if (bytes.length < ConsoleDescriptor.CONTROL_SIZE) {
      log.line("control message of " + bytes.length + " bytes ignored");
      return;
    }
    final long id = little(bytes, ConsoleDescriptor.CONTROL_ID, 4);
    final int event = (int) little(bytes, ConsoleDescriptor.CONTROL_EVENT, 2);
    final int value = (int) little(bytes, ConsoleDescriptor.CONTROL_VALUE, 2);
    if (id >= ports.length) {
      log.line("control message " + event + " of port " + id + " ignored: there is none");
      return;
    }
    final int index = (int) id; // below the number of ports, just checked
    final GuestPort port = ports[index];
    if (event == ConsoleDescriptor.DEVICE_ADD) {
      added(index, port);
    } else if (port == null) {
      log.line("control message " + event + " of port " + id + " ignored: it was not added");
    } else {
      switch (event) {
        case ConsoleDescriptor.DEVICE_REMOVE -> removePort(index);
        case ConsoleDescriptor.CONSOLE_PORT -> console(port);
        case ConsoleDescriptor.PORT_OPEN -> port.hostOpen(value != 0);
        case ConsoleDescriptor.PORT_NAME ->
            port.label(GuestPort.clean(bytes, ConsoleDescriptor.CONTROL_SIZE, MOST_LABEL));
        case ConsoleDescriptor.RESIZE -> {
          if (bytes.length >= ConsoleDescriptor.CONTROL_SIZE + 4) {
            port.size(
                (int) little(bytes, ConsoleDescriptor.CONTROL_SIZE, 2),
                (int) little(bytes, ConsoleDescriptor.CONTROL_SIZE + 2, 2));
          }
        }
        default -> log.line("control message " + event + " is none of a device's");
      }
    }
  }

  private static long little(final byte[] bytes, final int at, final int width) {
    long value = 0;
    for (int i = 0; i < width; i++) {
      value |= (bytes[at + i] & 0xffL) << (8 * i);
    }
    return value;
  }

  /** The device names a port, for the first time or after a reset. */
  private void added(final int index, final @Nullable GuestPort known) {
    final GuestPort port = known == null ? add(index) : known;
    final PortQueues of = queues[index];
    if (port == null || of == null) {
      return;
    }
    of.post();
    say(index, ConsoleDescriptor.PORT_READY, 1);
    if (port.isOpen()) {
      say(index, ConsoleDescriptor.PORT_OPEN, 1);
    }
  }

  private @Nullable GuestPort add(final int index) {
    final PortQueues of = queues[index];
    if (of == null) {
      return null;
    }
    final GuestPort known = ports[index];
    of.post();
    if (known != null) {
      return known;
    }
    final GuestPort port = new GuestPort(this, of, index, "vport" + number + "p" + index);
    ports[index] = port;
    platform.registry().add(port);
    return port;
  }

  private void console(final GuestPort port) {
    if (port.console()) {
      return;
    }
    final int hvc = platform.registry().takeConsole();
    platform.registry().remove(port);
    port.console("hvc" + hvc);
    platform.registry().add(port);
    device.dmesg().log(NAME + " " + device.name() + ": console [" + port.name() + "] enabled");
    if (!port.isOpen()) {
      platform.getty().start(port.name(), port.open());
    }
  }

  private void removePort(final int index) {
    final GuestPort port = ports[index];
    if (port != null) {
      ports[index] = null;
      port.end();
      platform.registry().remove(port);
      if (port.console()) {
        platform.registry().releaseConsole(Integer.parseInt(port.name().substring(3)));
      }
    }
  }

  private void say(final int port, final int event, final int value) {
    final ControlChannel channel = control;
    if (channel != null && !channel.send(port, event, value)) {
      log.line("the device does not take control messages: " + event + " is lost");
    }
  }

  // ---- for ports

  String address() {
    return device.pci().name();
  }

  boolean live() {
    return live;
  }

  /** A program has opened or closed a port. */
  void opened(final GuestPort port, final boolean open) {
    synchronized (this) {
      if (live && ports[port.port()] == port) {
        say(port.port(), ConsoleDescriptor.PORT_OPEN, open ? 1 : 0);
      }
    }
    wake();
  }

  /** The device broke a rule: it is reset. Any thread; does not block. */
  void broken(final String reason) {
    if (!removed && recovering.compareAndSet(false, true)) {
      live = false;
      device.dmesg().log(NAME + " " + device.name() + ": " + reason);
      platform.work().execute(this::recover);
    }
  }

  /** For the DMA core; on the work thread. */
  void fence(final Consumer<Boolean> complete) {
    if (!removed && !givenUp) {
      recovering.set(true);
      live = false;
      device.dmesg().log(NAME + " " + device.name() + ": fenced");
      recover(complete);
    }
  }

  private void recover() {
    recover(null);
  }

  /**
   * Resets the device and starts it anew.
   *
   * @param complete is told whether the reset was; null for a device that gave reason for it
   */
  private void recover(final @Nullable Consumer<Boolean> complete) {
    if (removed) {
      return;
    }
    final boolean hopeless;
    synchronized (this) {
      hopeless = complete == null && progress == progressAtReset;
      progressAtReset = complete == null ? progress : progressAtReset;
    }
    for (final PortQueues of : queues) {
      if (of != null) {
        of.stop();
      }
    }
    final ResetOutcome outcome = device.quiesce();
    if (complete != null) {
      complete.accept(outcome == ResetOutcome.DONE);
    }
    if (hopeless || outcome != ResetOutcome.DONE) {
      giveUp(hopeless ? "nothing came since the last reset" : "reset: " + outcome);
      return;
    }
    try {
      final boolean several = control != null;
      device.negotiate(VirtioConsoleDriver.FEATURES);
      if (device.has(VirtioFeatures.CONSOLE_MULTIPORT) != several) {
        throw new ProbeException("MULTIPORT is offered otherwise than before");
      }
      recovering.set(false);
      start();
      device.dmesg().log(NAME + " " + device.name() + ": reset");
    } catch (final ProbeException e) {
      giveUp(String.valueOf(e.getMessage()));
    }
  }

  private void giveUp(final String why) {
    givenUp = true;
    live = false;
    recovering.set(true); // for good
    device.dmesg().log(NAME + " " + device.name() + ": given up: " + why);
    device.fail();
    synchronized (this) {
      for (int i = 0; i < ports.length; i++) {
        removePort(i);
      }
    }
  }
}
