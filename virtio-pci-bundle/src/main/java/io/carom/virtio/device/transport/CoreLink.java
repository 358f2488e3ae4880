package io.carom.virtio.device.transport;

import io.carom.virtio.device.queue.EventSender;
import io.carom.virtio.device.queue.Filler;
import io.carom.virtio.device.type.DeviceLink;

/** What a device type is given of its transport. Takes no lock of it. */
final class CoreLink implements DeviceLink {
  private final DeviceCore core;
  private final String address;

  CoreLink(final DeviceCore core, final String address) {
    this.core = core;
    this.address = address;
  }

  @Override
  public String address() {
    return address;
  }

  @Override
  public boolean send(final int queue, final byte[] event) {
    return sender(queue).send(event);
  }

  @Override
  public boolean fill(final int queue, final Filler filler) {
    return sender(queue).fill(filler);
  }

  private EventSender sender(final int queue) {
    final EventSender sender = core.queues().events(queue);
    if (sender == null) {
      throw new IllegalArgumentException("queue " + queue + " is no event queue");
    }
    return sender;
  }

  @Override
  public void serve(final int queue) {
    core.queues().wake(queue);
  }

  @Override
  public void changed() {
    core.typeChanged();
  }

  @Override
  public void configChanged() {
    core.typeChanged();
    core.configChanged();
  }

  @Override
  public void needsReset(final String reason) {
    core.needsReset(reason);
  }

  @Override
  public void leaving() {
    core.leaving(true);
  }
}
