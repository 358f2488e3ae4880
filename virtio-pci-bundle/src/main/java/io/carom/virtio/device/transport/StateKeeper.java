package io.carom.virtio.device.transport;

import io.carom.pci.BusSession;
import io.carom.pci.PciAttachment;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioState.QueueState;
import io.carom.virtio.VirtioState.Selects;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueLayouts;
import io.carom.virtio.device.type.DeviceType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the state of a device at rest, and puts it into one made alike. Used under the device's
 * lock, while nobody serves.
 *
 * <p>Putting in has three steps. What the state says is checked, its rings are opened and looked
 * at, and the device type takes up its own part; each of these can refuse, and nothing was changed
 * then. Only after that the device is changed, which cannot fail.
 */
final class StateKeeper {
  private static final int SETTLED = VirtioStatus.DRIVER_OK | VirtioStatus.SUSPEND;
  private static final int BROKEN = VirtioStatus.NEEDS_RESET | VirtioStatus.FAILED;
  private static final int ALL_BITS =
      SETTLED | BROKEN | VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER | VirtioStatus.FEATURES_OK;
  private static final int ISR_BITS =
      CommonCfgDescriptor.ISR_QUEUE | CommonCfgDescriptor.ISR_CONFIG;

  private final DeviceType type;
  private final FeatureNegotiation features;
  private final DeviceStatus status;
  private final Interrupts interrupts;
  private final QueueSet queues;
  private final Plug plug;

  StateKeeper(
      final DeviceType type,
      final FeatureNegotiation features,
      final DeviceStatus status,
      final Interrupts interrupts,
      final QueueSet queues,
      final Plug plug) {
    this.type = type;
    this.features = features;
    this.status = status;
    this.interrupts = interrupts;
    this.queues = queues;
    this.plug = plug;
  }

  /**
   * Takes the state.
   *
   * @param words the type's
   */
  VirtioState take(final Map<String, String> words) {
    final List<QueueState> states = new ArrayList<>();
    for (int i = 0; i < queues.count(); i++) {
      states.add(queues.state(i, interrupts.queueVector(i)));
    }
    return new VirtioState(
        VirtioState.VERSION,
        type.id(),
        features.offered(),
        features.accepted(),
        status.register(),
        interrupts.configVector(),
        interrupts.isr(),
        new Selects(features.deviceSelect(), features.driverSelect(), queues.select()),
        type.config().toBytes(),
        states,
        words);
  }

  /**
   * Puts a state in. Chains that were in flight are served again.
   *
   * @param words takes up the type's words, and may refuse them
   * @throws IllegalArgumentException with one line, when this device cannot go on from it; it is as
   *     it was before
   */
  void put(
      final VirtioState state,
      final PciAttachment to,
      final BusSession bus,
      final Consumer<Map<String, String>> words) {
    check(state, to);
    final boolean before = plug.translated();
    plug.translated(translated(state));
    final QueueSet.@Nullable Restored[] rings;
    try {
      rings = queues.open(state.queues(), state.accepted(), usable(state), bus);
      words.accept(state.backend());
    } catch (final QueueException e) {
      plug.translated(before);
      throw new IllegalArgumentException("the saved state cannot be restored: " + e.getMessage());
    } catch (final RuntimeException e) {
      plug.translated(before);
      throw e;
    }
    queues.defaults();
    final Selects selects = state.selects();
    features.restore(state.accepted(), selects.deviceFeature(), selects.driverFeature());
    queues.select(selects.queue() & 0xffff);
    interrupts.restore(state.isr(), state.configVector());
    for (int i = 0; i < rings.length; i++) {
      queues.restore(i, state.queues().get(i), rings[i]);
      interrupts.queueVector(i, state.queues().get(i).vector());
    }
    if (type.config().size() > 0) {
      type.config().put(0, state.config());
    }
    final boolean settled = (state.status() & VirtioStatus.FEATURES_OK) != 0;
    type.negotiated(settled ? state.accepted() : 0);
    status.restore(state.status());
  }

  /**
   * Shows what can be shown of a state that the device cannot go on from, so that its driver reads
   * the registers that it knows until it resets the device.
   */
  void show(final VirtioState state) {
    final Selects selects = state.selects();
    features.restore(state.accepted(), selects.deviceFeature(), selects.driverFeature());
    queues.select(selects.queue() & 0xffff);
    interrupts.restore(state.isr() & ISR_BITS, state.configVector() & 0xffff);
    for (int i = 0; i < Math.min(queues.count(), state.queues().size()); i++) {
      queues.show(i, state.queues().get(i));
      interrupts.queueVector(i, state.queues().get(i).vector() & 0xffff);
    }
    status.restore(state.status() & ALL_BITS & ~VirtioStatus.NEEDS_RESET);
  }

  /** Whether the device can go on; one that is broken waits for its reset. */
  private static boolean usable(final VirtioState state) {
    return (state.status() & BROKEN) == 0;
  }

  private boolean translated(final VirtioState state) {
    final boolean settled = (state.status() & VirtioStatus.FEATURES_OK) != 0;
    return type.translated()
        && (!settled || (state.accepted() & VirtioFeatures.ACCESS_PLATFORM) != 0);
  }

  private void check(final VirtioState state, final PciAttachment to) {
    if (state.version() < 1 || state.version() > VirtioState.VERSION) {
      throw refused(
          "its version "
              + state.version()
              + " is not in 1.."
              + VirtioState.VERSION
              + ", what this code understands");
    }
    if (state.type() != type.id()) {
      throw refused("it is of device type " + state.type() + ", this one is of " + type.id());
    }
    checkFeatures(state);
    checkStatus(state);
    if (state.config().length != type.config().size()) {
      throw refused(
          "its configuration structure has "
              + state.config().length
              + " bytes, this one's has "
              + type.config().size());
    }
    if (state.queues().size() != queues.count()) {
      throw refused("it has " + state.queues().size() + " queues, this one has " + queues.count());
    }
    vector("the configuration", state.configVector(), to);
    // before FEATURES_OK a size of any layout may have been set
    final long layout =
        (state.status() & VirtioStatus.FEATURES_OK) != 0 ? state.accepted() : features.offered();
    for (int i = 0; i < queues.count(); i++) {
      final QueueState queue = state.queues().get(i);
      vector("queue " + i, queue.vector(), to);
      if (queue.size() > type.queueSize() || !QueueLayouts.of(layout).legalSize(queue.size())) {
        throw refused("queue " + i + " cannot have " + queue.size() + " entries here");
      }
      if (queue.enabled() && (state.status() & VirtioStatus.FEATURES_OK) == 0) {
        throw refused("queue " + i + " is enabled before FEATURES_OK");
      }
      // what broke a device may be a request that it took and could not return
      final boolean rest = queue.nextAvail() == queue.nextUsed();
      if (queue.enabled() && usable(state) && rest != queue.inFlight().isEmpty()) {
        throw refused(
            "queue "
                + i
                + " was not at rest: it took up to "
                + queue.nextAvail()
                + " and returned up to "
                + queue.nextUsed()
                + ", with "
                + queue.inFlight().size()
                + " chains told to be in flight");
      }
    }
  }

  private void checkFeatures(final VirtioState state) {
    final boolean settled = (state.status() & VirtioStatus.FEATURES_OK) != 0;
    final long unoffered = state.accepted() & ~features.offered();
    if (unoffered != 0) {
      throw refused(
          "its driver accepted what is not offered here: "
              + String.join(" ", VirtioFeatures.names(type.id(), unoffered)));
    }
    String reason = settled ? features.refusal(state.accepted()) : null;
    if (settled && reason == null) {
      reason = type.refuse(state.accepted());
    }
    if (reason != null) {
      throw refused(reason);
    }
  }

  private void checkStatus(final VirtioState state) {
    final int bits = state.status();
    final boolean settled = (bits & VirtioStatus.FEATURES_OK) != 0;
    final boolean suspend = (bits & VirtioStatus.SUSPEND) != 0;
    if ((bits & ~ALL_BITS) != 0
        || (!settled && (bits & SETTLED) != 0)
        || (suspend && (state.accepted() & VirtioFeatures.SUSPEND) == 0)
        || ((bits & SETTLED) == SETTLED && (bits & BROKEN) == 0)) {
      throw refused("its status 0x" + Integer.toHexString(bits) + " is none of a device at rest");
    }
    if ((state.isr() & ~ISR_BITS) != 0) {
      throw refused("its ISR 0x" + Integer.toHexString(state.isr()) + " has unknown bits");
    }
  }

  private static void vector(final String what, final int vector, final PciAttachment to) {
    if (vector != CommonCfgDescriptor.NO_VECTOR && (vector < 0 || vector >= to.vectors())) {
      throw refused(
          "vector " + vector + " of " + what + " is not in the " + to.vectors() + " of this one");
    }
  }

  private static IllegalArgumentException refused(final @Nullable String reason) {
    return new IllegalArgumentException("the saved state cannot be restored: " + reason);
  }
}
