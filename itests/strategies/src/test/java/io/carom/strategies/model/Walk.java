package io.carom.strategies.model;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.ScatterList;
import io.carom.strategies.kit.Subject;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Random steps on a {@link Model}: right use and wrong use of the DMA API, accesses of both sides.
 * What the core does wrong is thrown as an AssertionError, or found by {@link Checks} afterwards.
 */
final class Walk {
  private static final int[] OFFSETS = {0, 0, 0x123, 0x7ff, 0x800, 0xff0, 0xfff};
  private static final int MOST_LIVE = 60;
  private static final int PATIENCE_TICKS = 10;

  private final Model model;
  private final Random random;
  private final StepLog log;
  private final Swaps swaps;

  Walk(final Model model, final Random random, final StepLog log) {
    this.model = model;
    this.random = random;
    this.log = log;
    swaps = new Swaps(model, random, log);
  }

  /** Devices to begin with. */
  void begin() {
    final int count = 2 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      swaps.addDevice();
    }
  }

  /** One random step. */
  void step() {
    final int dice = random.nextInt(1000);
    if (dice < 300) {
      map();
    } else if (dice < 500) {
      unmap();
    } else if (dice < 580) {
      deviceWrites();
    } else if (dice < 640) {
      cpuWrites();
    } else if (dice < 760) {
      sync();
    } else if (dice < 830) {
      wrongUse();
    } else if (dice < 870) {
      list();
    } else if (dice < 890) {
      coherent();
    } else if (dice < 910) {
      reachable();
    } else if (dice < 970) {
      final int millis = 1 + random.nextInt(40);
      log.add("%d ms pass", millis);
      model.time.pass(millis);
      model.settle();
    } else if (dice < 980) {
      final boolean failing = random.nextInt(2) == 0;
      log.add("page allocations %s", failing ? "fail" : "succeed");
      model.guest.failing(failing);
    } else {
      swaps.step();
    }
  }

  private <T> @Nullable T any(final List<T> list) {
    return list.isEmpty() ? null : list.get(random.nextInt(list.size()));
  }

  private DmaDirection direction() {
    return DmaDirection.values()[random.nextInt(DmaDirection.values().length)];
  }

  private int size() {
    return switch (random.nextInt(8)) {
      case 0 -> 1 + random.nextInt(64);
      case 1, 2 -> 1 + random.nextInt(2048);
      case 3, 4 -> 1 + random.nextInt(4096);
      case 5, 6 -> 1 + random.nextInt(64 << 10);
      default -> 1 + random.nextInt(Model.MOST_BYTES);
    };
  }

  private int attributes() {
    return (random.nextInt(4) == 0 ? DmaAttributes.SKIP_CPU_SYNC : 0)
        | (random.nextInt(3) == 0 ? DmaAttributes.MAY_SLEEP : 0)
        | (random.nextInt(8) == 0 ? DmaAttributes.NO_WARN : 0);
  }

  private void map() {
    final ModelDevice device = any(model.devices);
    if (device == null || model.mappings.size() >= MOST_LIVE) {
      unmap();
      return;
    }
    if (!device.reachables.isEmpty() && random.nextInt(3) == 0) {
      mapReachable(device);
      return;
    }
    final int size = size();
    final int offset =
        random.nextBoolean() ? OFFSETS[random.nextInt(OFFSETS.length)] : random.nextInt(4096);
    final Model.Buffer buffer = model.freeBuffer(size, offset);
    if (buffer == null) {
      return;
    }
    if (random.nextBoolean()) {
      buffer.bytes().write(random);
    }
    final Mapping made = map(device, buffer, direction(), attributes());
    if (made == null) {
      model.free(buffer.cell());
    } else {
      model.mappings.add(made);
    }
  }

  private @Nullable Mapping map(
      final ModelDevice device,
      final Model.Buffer buffer,
      final DmaDirection direction,
      final int attributes) {
    final long size = buffer.bytes().real.byteSize();
    final long before = Checks.failures(model.world.info(device.driven));
    final long bus = device.driven.dma.map(buffer.address(), size, direction, attributes);
    log.add(
        "%s maps %d bytes at 0x%x %s attributes %x: 0x%x",
        device.name(), size, buffer.address(), direction, attributes, bus);
    if (bus == DmaDevice.MAPPING_ERROR) {
      device.failed++;
      if (Checks.failures(model.world.info(device.driven)) != before + 1) {
        throw new AssertionError("a map failed and was not counted");
      }
      return null;
    }
    return made(device, buffer, bus, direction);
  }

  private Mapping made(
      final ModelDevice device,
      final Model.Buffer buffer,
      final long bus,
      final DmaDirection direction) {
    final boolean pass = bus == buffer.address() + model.guest.memory.busOffset();
    if (pass && (device.strict || model.guest.memory.confidential())) {
      throw new AssertionError(device + ": a buffer out of its reach was passed");
    }
    device.maps++;
    device.bounced += pass ? 0 : 1;
    return new Mapping(
        device,
        buffer.address(),
        bus,
        direction,
        buffer.bytes(),
        buffer.around(),
        buffer.cell(),
        pass);
  }

  private void mapReachable(final ModelDevice device) {
    final ModelDevice.Reachable held = any(device.reachables);
    if (held == null || mapped(held)) {
      return;
    }
    final int all = (int) held.shadow().real.byteSize();
    final int offset = random.nextInt(all);
    final int size = 1 + random.nextInt(all - offset);
    final long address = held.buffer().address() + offset;
    final DmaDirection direction = direction();
    final long bus = device.driven.dma.map(address, size, direction, 0);
    log.add(
        "%s maps %d bytes of a reachable buffer at 0x%x: 0x%x", device.name(), size, address, bus);
    if (bus == DmaDevice.MAPPING_ERROR) {
      device.failed++;
      if (model.world.info(device.driven).strategy() != null) {
        throw new AssertionError(device + ": a reachable buffer was not mapped");
      }
      return;
    }
    device.maps++;
    final Shadow part = held.shadow().part(offset, size);
    model.mappings.add(new Mapping(device, address, bus, direction, part, part, -1, true));
  }

  private boolean mapped(final ModelDevice.Reachable held) {
    final long first = held.buffer().address();
    return model.mappings.stream()
        .anyMatch(
            m ->
                m.cell < 0
                    && m.address >= first
                    && m.address < first + held.shadow().real.byteSize());
  }

  private void unmap() {
    final Mapping mapping = any(model.mappings);
    if (mapping != null) {
      unmap(mapping, attributes());
    }
  }

  private void unmap(final Mapping mapping, final int attributes) {
    log.add("unmap of %s attributes %x", mapping, attributes);
    mapping.check();
    mapping.device.driven.dma.unmap(mapping.bus, mapping.size, mapping.direction, attributes);
    model.mappings.remove(mapping);
    ended(mapping, attributes);
  }

  private void ended(final Mapping mapping, final int attributes) {
    if (mapping.direction.fromDevice() && (attributes & DmaAttributes.SKIP_CPU_SYNC) == 0) {
      mapping.toCpu(0, mapping.size);
    }
    mapping.device.unmaps++;
    model.free(mapping.cell);
    mapping.around.check("buffer after the unmap of " + mapping);
  }

  private void deviceWrites() {
    final Mapping mapping = any(model.all());
    if (mapping == null) {
      return;
    }
    final int offset = random.nextInt(mapping.size);
    final int size = 1 + random.nextInt(mapping.size - offset);
    log.add("the device writes %d bytes at %d of %s", size, offset, mapping);
    final MemorySegment noise = Shadow.noise(random, size);
    mapping.device.driven.write(mapping.bus + offset, noise);
    mapping.seen().asSlice(offset, size).copyFrom(noise);
  }

  private void cpuWrites() {
    final Mapping mapping = any(model.all());
    if (mapping != null) {
      final int offset = random.nextInt(mapping.size);
      final int size = 1 + random.nextInt(mapping.size - offset);
      log.add("the CPU writes %d bytes at %d of %s", size, offset, mapping);
      mapping.buffer.part(offset, size).write(random);
    }
  }

  private void sync() {
    final Mapping mapping = any(model.all());
    if (mapping == null) {
      return;
    }
    final boolean forCpu = random.nextBoolean();
    final int offset = random.nextInt(3) == 0 ? 0 : random.nextInt(mapping.size);
    final int size =
        random.nextInt(3) == 0 ? mapping.size - offset : 1 + random.nextInt(mapping.size - offset);
    // one that was mapped both ways may be synced one way
    final DmaDirection direction =
        mapping.direction == DmaDirection.BIDIRECTIONAL ? direction() : mapping.direction;
    log.add(
        "sync for %s of %d bytes at %d %s of %s",
        forCpu ? "CPU" : "device", size, offset, direction, mapping);
    if (forCpu) {
      mapping.device.driven.dma.syncForCpu(mapping.bus + offset, size, direction);
    } else {
      mapping.device.driven.dma.syncForDevice(mapping.bus + offset, size, direction);
    }
    mapping.device.syncs++;
    synced(mapping, offset, size, direction, forCpu);
  }

  private static void synced(
      final Mapping mapping,
      final long offset,
      final long size,
      final DmaDirection direction,
      final boolean forCpu) {
    if (forCpu && direction.fromDevice()) {
      mapping.toCpu(offset, size);
    } else if (!forCpu && direction.toDevice()) {
      mapping.toDevice(offset, size);
    }
  }

  /** Something that must be refused, and change nothing: the checks after the step see to that. */
  private void wrongUse() {
    final Mapping mapping = any(model.mappings);
    final ModelDevice device = any(model.devices);
    if (mapping == null || device == null) {
      return;
    }
    final DmaDevice dma = mapping.device.driven.dma;
    final long bus = mapping.bus;
    final int size = mapping.size;
    final DmaDirection direction = mapping.direction;
    final DmaDirection other =
        DmaDirection.values()[(direction.ordinal() + 1 + random.nextInt(2)) % 3];
    final int kind = random.nextInt(10);
    log.add("wrong use %d of %s", kind, mapping);
    switch (kind) {
      case 0 -> refused(() -> dma.unmap(bus, size + 1 + random.nextInt(5000), direction, 0));
      case 1 -> refused(() -> dma.unmap(bus, size, other, 0));
      case 2 -> refused(() -> dma.unmap(bus + 1 + random.nextInt(size), size, direction, 0));
      case 3 -> {
        if (device != mapping.device) {
          refused(() -> device.driven.dma.unmap(bus, size, direction, 0));
        }
      }
      case 4 -> refusedSync(mapping, bus, size + 1, direction);
      case 5 -> refusedSync(mapping, bus + random.nextInt(size), size + 1, direction);
      case 6 -> refusedSync(mapping, bus + size, 1, direction);
      case 7 -> {
        if (direction != DmaDirection.BIDIRECTIONAL) {
          refusedSync(mapping, bus, size, other);
        }
      }
      case 8 -> {
        unmap(mapping, 0);
        refused(() -> dma.unmap(bus, size, direction, 0)); // nothing was mapped in between
        refusedSync(mapping, bus, 1, direction);
      }
      default -> {
        final long nowhere = random.nextLong() >>> random.nextInt(64);
        if (model.all().stream().noneMatch(m -> nowhere >= m.bus && nowhere - m.bus < m.size)) {
          refused(() -> dma.unmap(nowhere, 1 + random.nextInt(4096), direction, 0));
          refusedSync(mapping, nowhere, 1, direction);
        }
      }
    }
  }

  private void refusedSync(
      final Mapping mapping, final long bus, final long size, final DmaDirection direction) {
    mapping.device.refusedSyncs++;
    if (random.nextBoolean()) {
      refused(() -> mapping.device.driven.dma.syncForCpu(bus, size, direction));
    } else {
      refused(() -> mapping.device.driven.dma.syncForDevice(bus, size, direction));
    }
  }

  private static void refused(final Runnable wrong) {
    try {
      wrong.run();
    } catch (final DmaUsageException e) {
      return;
    }
    throw new AssertionError("wrong use was accepted");
  }

  private void list() {
    final SgMapping live = any(model.lists);
    if (live == null || random.nextInt(3) == 0) {
      mapList();
    } else if (random.nextBoolean()) {
      syncList(live);
    } else {
      unmapList(live, attributes());
    }
  }

  private void mapList() {
    final ModelDevice device = any(model.devices);
    if (device == null || model.lists.size() > 3) {
      return;
    }
    final int count = 1 + random.nextInt(6);
    final ScatterList list = new ScatterList(count);
    final List<Model.Buffer> buffers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      final Model.Buffer buffer = model.freeBuffer(size(), OFFSETS[random.nextInt(OFFSETS.length)]);
      if (buffer != null) {
        buffers.add(buffer);
        list.add(buffer.address(), buffer.bytes().real.byteSize());
      }
    }
    if (buffers.isEmpty()) {
      return;
    }
    final DmaDirection direction = direction();
    final int mapped = device.driven.dma.mapSg(list, direction, attributes());
    log.add("%s maps a list of %d %s: %d", device.name(), buffers.size(), direction, mapped);
    if (mapped == 0) {
      undone(device, buffers);
      return;
    }
    if (mapped != buffers.size()) {
      throw new AssertionError(mapped + " entries of " + buffers.size() + " were mapped");
    }
    final List<Mapping> entries = new ArrayList<>();
    for (int i = 0; i < mapped; i++) {
      entries.add(made(device, buffers.get(i), list.busAddress(i), direction));
    }
    model.lists.add(new SgMapping(list, entries));
  }

  /** A list was not mapped: nothing of it is, and it counts as one failure. */
  private void undone(final ModelDevice device, final List<Model.Buffer> buffers) {
    device.failed++;
    final var info = model.world.info(device.driven);
    final long begun = info.maps() - device.maps;
    if (begun < 0 || begun >= buffers.size() || info.unmaps() - device.unmaps != begun) {
      throw new AssertionError(
          begun
              + " entries of a list that failed were mapped, and "
              + (info.unmaps() - device.unmaps)
              + " unmapped");
    }
    device.maps += begun;
    device.unmaps += begun;
    device.bounced += info.bounced() - device.bounced;
    for (final Model.Buffer buffer : buffers) {
      buffer.around().check("buffer of a list that failed");
      model.free(buffer.cell());
    }
  }

  private void syncList(final SgMapping live) {
    final boolean forCpu = random.nextBoolean();
    final DmaDirection direction = live.entries().getFirst().direction;
    log.add("sync for %s of a list of %s", forCpu ? "CPU" : "device", live.device().name());
    if (forCpu) {
      live.device().driven.dma.syncSgForCpu(live.list(), direction);
    } else {
      live.device().driven.dma.syncSgForDevice(live.list(), direction);
    }
    live.device().syncs += live.entries().size();
    live.entries().forEach(entry -> synced(entry, 0, entry.size, direction, forCpu));
  }

  private void unmapList(final SgMapping live, final int attributes) {
    log.add("unmap of a list of %s attributes %x", live.device().name(), attributes);
    live.device().driven.dma.unmapSg(live.list(), live.entries().getFirst().direction, attributes);
    model.lists.remove(live);
    live.entries().forEach(entry -> ended(entry, attributes));
  }

  private void coherent() {
    final ModelDevice device = any(model.devices);
    if (device == null) {
      return;
    }
    final ModelDevice.Coherent held = any(device.coherents);
    if (held != null && (random.nextBoolean() || device.coherents.size() > 4)) {
      log.add("%s frees coherent memory", device.name());
      device.driven.dma.freeCoherent(held.buffer());
      device.coherents.remove(held);
      refused(() -> device.driven.dma.freeCoherent(held.buffer()));
      return;
    }
    final int size = 1 + random.nextInt(20_000);
    final CoherentBuffer buffer;
    try {
      buffer = device.driven.dma.allocateCoherent(size);
    } catch (final DmaMemoryException e) {
      log.add("%s: no coherent memory of %d bytes", device.name(), size);
      return;
    }
    log.add("%s has %d bytes of coherent memory at 0x%x", device.name(), size, buffer.busAddress());
    final Shadow shadow = new Shadow(buffer.memory());
    if (shadow.expected.mismatch(MemorySegment.ofArray(new byte[size])) >= 0
        || (buffer.busAddress() & 0xfff) != 0
        || Long.compareUnsigned(buffer.busAddress() + size - 1, device.spec().dmaMask()) > 0) {
      throw new AssertionError("coherent memory is not zeroed, not aligned or above the mask");
    }
    shadow.write(random);
    device.coherents.add(new ModelDevice.Coherent(buffer, shadow));
  }

  private void reachable() {
    final ModelDevice device = any(model.devices);
    if (device == null) {
      return;
    }
    final ModelDevice.Reachable held = any(device.reachables);
    if (held != null && random.nextBoolean()) {
      log.add("%s frees a reachable buffer", device.name());
      if (mapped(held)) {
        refused(() -> device.driven.dma.freeReachable(held.buffer()));
      } else {
        device.driven.dma.freeReachable(held.buffer());
        device.reachables.remove(held);
      }
      return;
    }
    final ReachableBuffer buffer = device.driven.dma.allocateReachable(1 + random.nextInt(30_000));
    if (buffer != null) {
      log.add(
          "%s holds %d bytes at 0x%x", device.name(), buffer.memory().byteSize(), buffer.address());
      final Shadow shadow = new Shadow(buffer.memory());
      shadow.write(random);
      device.reachables.add(new ModelDevice.Reachable(buffer, shadow));
    }
  }

  /** Ends all that lives, lets time pass, and looks whether everything is back and serves. */
  void rest(final Checks checks) {
    log.add("rest");
    model.guest.failing(false);
    List.copyOf(model.mappings).forEach(mapping -> unmap(mapping, 0));
    List.copyOf(model.lists).forEach(list -> unmapList(list, 0));
    for (final ModelDevice device : model.devices) {
      device.reachables.forEach(held -> device.driven.dma.freeReachable(held.buffer()));
      device.reachables.clear();
      device.coherents.forEach(held -> device.driven.dma.freeCoherent(held.buffer()));
      device.coherents.clear();
    }
    swaps.everythingBack();
    for (int i = 0; i < 40; i++) {
      model.time.pass(10);
      model.settle();
    }
    if (!model.world.core.transitions().isEmpty()) {
      throw new AssertionError("swaps do not end: " + model.world.core.transitions());
    }
    checks.atRest();
    for (final ModelDevice device : model.devices) {
      serves(device);
    }
    checks.all();
  }

  /** With nothing else mapped, what is said to be possible is. */
  private void serves(final ModelDevice device) {
    final Subject now = swaps.current(device);
    if (now == null || !swaps.inReach(device, now)) {
      return;
    }
    final long most = device.driven.dma.maxMappingSize();
    final long lost = 2 * device.spec().allocAlignMask() + device.spec().minAlignMask();
    final long boundary = device.spec().boundaryMask();
    for (final int size : new int[] {1, 2048, 5000, 50_000}) {
      final boolean fits = size + lost <= most && (boundary < 0 || size + lost <= boundary + 1);
      final Model.Buffer buffer = model.freeBuffer(size, 0xfff);
      if (!fits || buffer == null) {
        continue;
      }
      Mapping made = null;
      for (int i = 0; made == null && i < PATIENCE_TICKS; i++) {
        if (i != 0) {
          model.time.pass(10); // does not pass while the map waits for what goes back at a tick
        }
        made = map(device, buffer, DmaDirection.BIDIRECTIONAL, DmaAttributes.MAY_SLEEP);
      }
      if (made == null) {
        throw new AssertionError(
            device
                + ": no mapping of "
                + size
                + " bytes with nothing mapped: "
                + model.world.info(device.driven)
                + " "
                + model.world.core.pools());
      }
      model.mappings.add(made);
      unmap(made, 0);
    }
  }
}
