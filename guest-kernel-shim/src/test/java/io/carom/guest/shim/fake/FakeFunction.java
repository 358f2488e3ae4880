package io.carom.guest.shim.fake;

import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.MsixDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A PCI function: header, BARs that can be sized, a chain of capabilities, an MSI-X table. */
public class FakeFunction {
  /** Config space; tests may write nonsense into it. */
  public final byte[] config = new byte[ConfigSpaceDescriptor.SIZE];

  /** One BAR. */
  public record Bar(long size, boolean wide, boolean pref, @Nullable MemorySegment memory) {}

  private final Map<Integer, Bar> bars = new HashMap<>();
  private final byte[] msix = new byte[4096];
  private int msixBar = -1;
  private int msixCapability;
  private int nextCapability = ConfigSpaceDescriptor.CAPABILITIES;
  private int lastPointer = ConfigSpaceDescriptor.CAPABILITY_POINTER;

  public FakeFunction(final int vendor, final int device, final int classCode) {
    put(ConfigSpaceDescriptor.VENDOR_ID, 2, vendor);
    put(ConfigSpaceDescriptor.DEVICE_ID, 2, device);
    put(ConfigSpaceDescriptor.REVISION, 4, classCode << 8 | 1);
  }

  /** Adds a BAR. */
  public final void bar(final int index, final Bar bar) {
    bars.put(index, bar);
    put(ConfigSpaceDescriptor.bar(index), 4, flags(bar));
  }

  /** Adds a capability and returns its offset. */
  public final int capability(final byte[] body) {
    final int at = nextCapability;
    System.arraycopy(body, 0, config, at, body.length);
    config[at + 1] = 0;
    config[lastPointer] = (byte) at;
    lastPointer = at + 1;
    nextCapability = (at + body.length + 3) & ~3;
    put(ConfigSpaceDescriptor.STATUS, 2, ConfigSpaceDescriptor.STATUS_CAPABILITIES);
    return at;
  }

  /** Adds MSI-X with its table at the start of a BAR of its own. */
  public final void msix(final int bar, final int vectors) {
    bar(bar, new Bar(4096, false, false, null));
    final byte[] body = new byte[MsixDescriptor.CAPABILITY_SIZE];
    body[0] = MsixDescriptor.CAPABILITY_ID;
    body[MsixDescriptor.CONTROL] = (byte) (vectors - 1);
    body[MsixDescriptor.CONTROL + 1] = (byte) ((vectors - 1) >>> 8);
    body[MsixDescriptor.TABLE] = (byte) bar;
    body[MsixDescriptor.PBA] = (byte) bar;
    body[MsixDescriptor.PBA + 1] = 0x08;
    msixBar = bar;
    msixCapability = capability(body);
  }

  /** Hides the MSI-X capability: its id becomes one that nobody knows. */
  public final void withoutMsix() {
    config[msixCapability] = 0x7f;
    msixCapability = 0;
    put(ConfigSpaceDescriptor.INTERRUPT_PIN, 1, 1);
  }

  /** Whether MSI-X is on. */
  public final boolean msixOn() {
    return msixCapability != 0
        && (get(msixCapability + MsixDescriptor.CONTROL, 2) & MsixDescriptor.CONTROL_ENABLE) != 0;
  }

  /** The command register. */
  public final int command() {
    return (int) get(ConfigSpaceDescriptor.COMMAND, 2);
  }

  /** A field of config space. */
  public final long get(final int offset, final int width) {
    return little(config, offset, width);
  }

  /** Sets a field of config space, read-only or not. */
  public final void put(final int offset, final int width, final long value) {
    for (int i = 0; i < width; i++) {
      config[offset + i] = (byte) (value >>> (8 * i));
    }
  }

  /** Where a BAR is. */
  public final long base(final int index) {
    final Bar bar = bars.get(index);
    final int at = ConfigSpaceDescriptor.bar(index);
    final long low = get(at, 4) & ~0xfL;
    return bar != null && bar.wide() ? low | get(at + 4, 4) << 32 : low;
  }

  final void configWrite(final int offset, final int width, final long value) {
    final int bar0 = ConfigSpaceDescriptor.BAR0;
    if (offset >= bar0 && offset < bar0 + 24) {
      writeBar(offset, value);
    } else if (offset == ConfigSpaceDescriptor.COMMAND) {
      put(offset, 2, value & ConfigSpaceDescriptor.COMMAND_WRITABLE);
    } else if (msixCapability != 0 && offset == msixCapability + MsixDescriptor.CONTROL) {
      final long size = get(offset, 2) & MsixDescriptor.CONTROL_SIZE_MASK;
      put(offset, 2, size | (value & 0xc000));
    }
  }

  private void writeBar(final int offset, final long value) {
    final int index = (offset - ConfigSpaceDescriptor.BAR0) / 4;
    final Bar own = bars.get(index);
    final Bar lower = bars.get(index - 1);
    if (own != null) {
      put(offset, 4, (value & -own.size()) | flags(own));
    } else if (lower != null && lower.wide()) {
      put(offset, 4, value & (-lower.size() >>> 32));
    }
  }

  private static int flags(final Bar bar) {
    return (bar.wide() ? ConfigSpaceDescriptor.BAR_64 : 0)
        | (bar.pref() ? ConfigSpaceDescriptor.BAR_PREFETCHABLE : 0);
  }

  /** The BAR that decodes an address, if decoding is on. */
  final Optional<Integer> decodes(final long address) {
    if ((command() & ConfigSpaceDescriptor.COMMAND_MEMORY) == 0) {
      return Optional.empty();
    }
    return bars.entrySet().stream()
        .filter(
            bar ->
                address >= base(bar.getKey())
                    && address - base(bar.getKey()) < bar.getValue().size())
        .map(Map.Entry::getKey)
        .findFirst();
  }

  final @Nullable MemorySegment memory(final int bar) {
    final Bar of = bars.get(bar);
    return of == null ? null : of.memory();
  }

  final long busRead(final int bar, final long offset, final int width) {
    if (bar == msixBar) {
      return little(msix, (int) offset, width);
    }
    return read(bar, offset, width);
  }

  final void busWrite(final int bar, final long offset, final int width, final long value) {
    if (bar == msixBar) {
      for (int i = 0; i < width; i++) {
        msix[(int) offset + i] = (byte) (value >>> (8 * i));
      }
    } else {
      write(bar, offset, width, value);
    }
  }

  /** Sends the message of an MSI-X entry, if MSI-X is on and the entry not masked. */
  public final void raise(final FakeMsi msi, final int vector) {
    final int at = vector * MsixDescriptor.ENTRY_SIZE;
    final boolean on = msixOn();
    final boolean masked = (msix[at + MsixDescriptor.ENTRY_CONTROL] & 1) != 0;
    if (on && !masked && (command() & ConfigSpaceDescriptor.COMMAND_BUS_MASTER) != 0) {
      msi.message(little(msix, at, 8), (int) little(msix, at + MsixDescriptor.ENTRY_DATA, 4));
    }
  }

  /** A load from a register BAR. */
  protected long read(final int bar, final long offset, final int width) {
    return 0;
  }

  /** A store to a register BAR. */
  protected void write(final int bar, final long offset, final int width, final long value) {}

  static long little(final byte[] bytes, final int offset, final int width) {
    long value = 0;
    for (int i = 0; i < width; i++) {
      value |= (bytes[offset + i] & 0xffL) << (8 * i);
    }
    return value;
  }
}
