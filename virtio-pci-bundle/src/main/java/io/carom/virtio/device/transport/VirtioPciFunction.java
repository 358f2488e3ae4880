package io.carom.virtio.device.transport;

import io.carom.pci.OwnRange;
import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import io.carom.pci.PortCounters;
import io.carom.virtio.RegionInfo;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioState;
import io.carom.virtio.device.region.BounceRegion;
import io.carom.virtio.device.region.RegionReport;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A modern virtio device on PCI: decodes accesses to its structures (virtio 1.4, section Virtio
 * Over PCI Bus). There is no legacy interface.
 *
 * <p>A register is 1, 2 or 4 bytes wide; an access of 8 bytes is two of 4, the low half first. A
 * doorbell is a write at its queue's place in NOTIFY, see {@link Doorbell}; one of 8 bytes, or
 * between two places, is none.
 */
public final class VirtioPciFunction implements PciFunction {
  private static final String AT_REST =
      "at rest since its state was saved: restore that, or let the driver reset it";
  private static final PortCounters NO_ACCESSES = new PortCounters(0, 0, 0, 0);

  private final String name;
  private final DeviceType type;
  private final BounceRegion region;
  private final DeviceCore core;
  private final CommonConfig common;
  private final FunctionLayout layout;
  private final PciFunctionSpec spec;

  VirtioPciFunction(
      final String name,
      final DeviceType type,
      final BounceRegion region,
      final DeviceCore core,
      final FunctionLayout layout) {
    this.name = name;
    this.type = type;
    this.region = region;
    this.core = core;
    common = new CommonConfig(core);
    this.layout = layout;
    spec = layout.spec(new PciCfgWindow(new Structures()));
  }

  @Override
  public PciFunctionSpec spec() {
    return spec;
  }

  @Override
  public String label() {
    return name;
  }

  @Override
  public void plugged(final PciAttachment attachment) {
    core.plugged(attachment);
  }

  /**
   * Whether it was said, by the device type or {@link #leaving}, that the guest is to see it go.
   */
  public boolean leavesForGood() {
    return core.leavesForGood();
  }

  /** Idempotent; bounded, whatever a backend does. */
  @Override
  public void unplugged() {
    core.unplugged();
  }

  /**
   * Says that the function is about to be taken out, before its service goes.
   *
   * @param forGood whether the guest is to see that; else the machine keeps its state, and one made
   *     of the same name and shape goes on
   */
  public void leaving(final boolean forGood) {
    core.leaving(forGood);
  }

  @Override
  public @Nullable OwnRange ownRange() {
    return region.range(FunctionLayout.REGION_BAR);
  }

  /** Whether the bus has plugged it in. */
  public boolean isPlugged() {
    return core.attachment() != null;
  }

  /**
   * Brings the device to rest and tells its state. It stays at rest, invisibly for its driver,
   * until {@link #restore}, {@link #goOn}, or the driver's reset. The state says nothing of memory:
   * of guest RAM, of the SWIOTLB region, which another function may scrub when it is plugged in,
   * nor of what the bus keeps, as BARs and MSI-X. Bounded, whatever a handler does.
   *
   * @throws IllegalStateException with one line, when it is not plugged in, or a handler hangs; it
   *     goes on then
   */
  public VirtioState save() {
    return core.saver().save();
  }

  /** Lets a device at rest go on, as if it had not been saved. */
  public void goOn() {
    core.saver().goOn();
  }

  /**
   * Goes on from a state, on the memory that its rings are in.
   *
   * @throws IllegalStateException with one line, when the function is not plugged in, or its driver
   *     has begun to use it; only one as after a reset or at rest can be restored
   * @throws IllegalArgumentException with one line, when the state is not one of such a device; it
   *     is as it was before
   */
  public void restore(final VirtioState state) {
    core.saver().restore(state);
  }

  /** Whether the device is kept at rest after saving. */
  public boolean atRest() {
    return core.atRest();
  }

  /** Tells the driver that the configuration structure has changed. */
  public void configChanged() {
    core.configChanged();
  }

  /** Serves what doorbells have latched, on this thread; only without threads. */
  public void processNow() {
    core.queueCommands().processNow();
  }

  @Override
  public long read(final int bar, final long offset, final int width) {
    if (bar != FunctionLayout.REGISTER_BAR) {
      return 0;
    }
    if (width == Long.BYTES) {
      return readRegister((int) offset, Integer.BYTES)
          | readRegister((int) offset + Integer.BYTES, Integer.BYTES) << Integer.SIZE;
    }
    return readRegister((int) offset, width);
  }

  private long readRegister(final int offset, final int width) {
    if (offset >= FunctionLayout.NOTIFY) {
      return 0;
    }
    if (offset >= FunctionLayout.DEVICE) {
      return type.config().read(offset - FunctionLayout.DEVICE, width);
    }
    if (offset >= FunctionLayout.ISR) {
      return offset == FunctionLayout.ISR ? core.interrupts().takeIsr() : 0;
    }
    return common.read(offset, width) | region.common(offset, width);
  }

  @Override
  public void write(final int bar, final long offset, final int width, final long value) {
    if (bar != FunctionLayout.REGISTER_BAR) {
      return;
    }
    if (width != Long.BYTES) {
      writeRegister((int) offset, width, value);
    } else if (offset < FunctionLayout.NOTIFY) {
      // a 64-bit field is two halves, the low one first
      writeRegister((int) offset, Integer.BYTES, value & 0xffff_ffffL);
      writeRegister((int) offset + Integer.BYTES, Integer.BYTES, value >>> Integer.SIZE);
    }
  }

  private void writeRegister(final int offset, final int width, final long value) {
    if (offset >= FunctionLayout.NOTIFY) {
      final int place = offset - FunctionLayout.NOTIFY;
      if (place % FunctionLayout.NOTIFY_MULTIPLIER == 0 && place < layout.notifyBytes()) {
        core.queueCommands().doorbell(place / FunctionLayout.NOTIFY_MULTIPLIER, width, value);
      }
    } else if (offset >= FunctionLayout.DEVICE) {
      writeConfig(offset - FunctionLayout.DEVICE, width, value);
    } else if (offset < FunctionLayout.ISR) {
      common.write(offset, width, value);
    }
  }

  /**
   * A driver must not write the configuration before FEATURES_OK (section Device Initialization):
   * such a write is ignored, but for fields that are there for a device which nobody drives.
   */
  private void writeConfig(final int offset, final int width, final long value) {
    if (offset + width <= type.config().size()
        && (type.alwaysWritable(offset, width) || core.configWritable())) {
      type.configWritten(offset, width, value);
      core.typeChanged();
    }
  }

  @Override
  public void commandChanged(final int command) {
    core.commandChanged(command);
  }

  /** The device as the host sees it. */
  public VirtioDeviceInfo info() {
    final PciAttachment attachment = core.attachment();
    final PortCounters counters = attachment == null ? NO_ACCESSES : attachment.port().counters();
    final long base = attachment == null ? -1 : attachment.ownRangeAddress();
    return new VirtioDeviceInfo(
        name,
        type.typeName(),
        type.id(),
        attachment == null ? null : attachment.address().toString(),
        core.statusNow(),
        region.options().policy(),
        region.size(),
        base < 0 ? null : "0x" + Long.toHexString(base),
        core.features().offered(),
        core.accepted(),
        core.queueInfos(),
        type.backend(),
        counters.ownRegion(),
        counters.systemMemory(),
        counters.faulted(),
        type.requests(),
        core.restarts(),
        core.atRest() ? AT_REST : core.lastError(),
        regionInfo(attachment));
  }

  private @Nullable RegionInfo regionInfo(final @Nullable PciAttachment attachment) {
    return region.present()
        ? RegionReport.of(
            region, core.accepted(), attachment == null ? 0 : attachment.port().unprotectedPages())
        : null;
  }

  /** What the PCI_CFG window reaches: the structures that capabilities name. */
  private final class Structures implements PciCfgWindow.Target {
    @Override
    public boolean covers(final int bar, final long offset, final int width) {
      // no overflow: offset has 32 bits, width is at most 4
      final long end = offset + width;
      final MemorySegment memory = layout.memory(bar);
      if (memory != null) {
        return end <= memory.byteSize();
      }
      final ConfigSpace config = type.config();
      return bar == FunctionLayout.REGISTER_BAR
          && (end <= layout.commonBytes()
              || (offset == FunctionLayout.ISR && width == 1)
              || (offset >= FunctionLayout.DEVICE && end <= FunctionLayout.DEVICE + config.size())
              || (offset >= FunctionLayout.NOTIFY
                  && end <= FunctionLayout.NOTIFY + layout.notifyBytes()));
    }

    @Override
    public long read(final int bar, final long offset, final int width) {
      final MemorySegment memory = layout.memory(bar);
      if (memory == null) {
        return VirtioPciFunction.this.read(bar, offset, width);
      }
      long value = 0;
      for (int i = 0; i < width; i++) {
        value |= (memory.get(ValueLayout.JAVA_BYTE, offset + i) & 0xffL) << (8 * i);
      }
      return value;
    }

    @Override
    public void write(final int bar, final long offset, final int width, final long value) {
      final MemorySegment memory = layout.memory(bar);
      if (memory == null) {
        VirtioPciFunction.this.write(bar, offset, width, value);
        return;
      }
      for (int i = 0; i < width; i++) {
        memory.set(ValueLayout.JAVA_BYTE, offset + i, (byte) (value >>> (8 * i)));
      }
    }
  }
}
