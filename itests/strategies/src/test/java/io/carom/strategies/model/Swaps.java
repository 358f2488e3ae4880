package io.carom.strategies.model;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.ExtentKind;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.direct.DirectStrategy;
import io.carom.dma.spi.DmaStrategy;
import io.carom.memory.PhysicalLayout;
import io.carom.strategies.kit.Strategies;
import io.carom.strategies.kit.Subject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Random changes of who decides: swaps, strategies that go and come, devices that go and come. */
final class Swaps {
  private static final long[] DRAIN_MS = {0, 20, 5_000};
  private static final int LEAST_DEVICES = 2;

  private final Model model;
  private final Random random;
  private final StepLog log;
  private final Map<String, Integer> ids = new LinkedHashMap<>();
  private final List<String> absent = new ArrayList<>();

  Swaps(final Model model, final Random random, final StepLog log) {
    this.model = model;
    this.random = random;
    this.log = log;
    Strategies.table().keySet().forEach(name -> ids.put(name, ids.size() + 1));
  }

  /** A new device, on the subject's strategy where that is legal. */
  void addDevice() {
    final ModelDevice device = model.addDevice();
    log.add("new device %s", device);
    model.settle();
    use(device, model.world.subject);
  }

  /** One random change. */
  void step() {
    final int dice = random.nextInt(10);
    if (dice < 7) {
      final ModelDevice device = model.devices.get(random.nextInt(model.devices.size()));
      use(device, model.anyStrategy());
    } else if (dice == 7) {
      if (absent.isEmpty()) {
        remove();
      } else {
        add(absent.removeFirst());
      }
    } else if (model.devices.size() > LEAST_DEVICES) {
      close(model.devices.get(random.nextInt(model.devices.size())));
    } else {
      addDevice();
    }
  }

  private void use(final ModelDevice device, final Subject to) {
    if (model.world.core.transitions().stream().anyMatch(t -> t.device().equals(device.name()))) {
      return;
    }
    final SwapOptions options =
        new SwapOptions(
            to.extents(),
            DRAIN_MS[random.nextInt(DRAIN_MS.length)],
            random.nextInt(4) == 0 ? SwapPolicy.QUARANTINE : SwapPolicy.ADOPT);
    final boolean legal =
        !absent.contains(to.strategy()) && device.legal(to, model.guest.memory.confidential());
    log.add("%s shall use %s, %s%s", device.name(), to, options, legal ? "" : " (illegal)");
    try {
      final var _ = model.world.core.use(device.name(), to.strategy(), options);
    } catch (final IllegalArgumentException e) {
      if (legal) {
        throw new AssertionError("a legal strategy was refused", e);
      }
      return;
    }
    if (!legal) {
      throw new AssertionError(device + " may not have " + to + " and got it");
    }
    model.settle();
    if (!to.equals(current(device))) {
      throw new AssertionError(device + " has " + current(device) + " after a swap to " + to);
    }
  }

  private void remove() {
    final List<String> names = new ArrayList<>(ids.keySet());
    final String name = names.get(random.nextInt(names.size()));
    log.add("strategy %s goes away", name);
    absent.add(name);
    model.world.core.strategyRemoved(id(name));
    model.settle();
    for (final ModelDevice device : model.devices) {
      final Subject now = current(device);
      if (now != null && now.strategy().equals(name)) {
        throw new AssertionError(device + " has a strategy that went away");
      }
    }
  }

  private void add(final String name) {
    log.add("strategy %s comes back", name);
    final Supplier<DmaStrategy> strategy = Strategies.table().get(name);
    model.world.add(name, Objects.requireNonNull(strategy).get(), id(name));
    model.settle();
  }

  private int id(final String name) {
    return Objects.requireNonNull(ids.get(name));
  }

  /** All strategies are there again. */
  void everythingBack() {
    while (!absent.isEmpty()) {
      add(absent.removeFirst());
    }
  }

  private void close(final ModelDevice device) {
    log.add("device %s is closed", device.name());
    for (final ModelDevice.Reachable held : List.copyOf(device.reachables)) {
      if (model.mappings.stream().noneMatch(m -> m.device == device && m.cell < 0)) {
        device.driven.dma.freeReachable(held.buffer());
        device.reachables.remove(held);
      }
    }
    if (!device.reachables.isEmpty()
        || model.world.core.transitions().stream()
            .anyMatch(t -> t.device().equals(device.name()))) {
      return; // a mapped reachable buffer, or a swap, is not what this step is about
    }
    device.coherents.forEach(held -> device.driven.dma.freeCoherent(held.buffer()));
    device.coherents.clear();
    device.driven.dma.close();
    device.closed = true;
    model.devices.remove(device);
    model.closed.add(device);
    model.settle();
  }

  /** What a device maps with now, or null. */
  @Nullable Subject current(final ModelDevice device) {
    final DmaDeviceInfo info = model.world.info(device.driven);
    return info.strategy() == null ? null : new Subject(info.strategy(), info.extents());
  }

  /** Whether the device can form the addresses of a strategy's memory. */
  boolean inReach(final ModelDevice device, final Subject subject) {
    final long mask = device.spec().dmaMask();
    if (subject.strategy().equals(DirectStrategy.DIRECT)) {
      return mask < 0;
    }
    final var region = device.spec().region();
    return mask < 0
        || subject.extents() == ExtentKind.RAM
        || (region != null && region.busAddress() < PhysicalLayout.HIGH_RAM_BASE);
  }
}
