package io.carom.shell.lspci;

import io.carom.guest.PciDeviceInfo;
import io.carom.pci.ConfigSpaceDescriptor;
import java.util.Formatter;
import java.util.Locale;

/** One function in the format of pciutils' {@code lspci}. */
final class PciText {
  private static final String[] DEVSEL = {"fast", "medium", "slow", "??"};
  private static final int DEVSEL_SHIFT = 9;

  private final PciDeviceInfo info;
  private final ConfigSpace config;
  private final StringBuilder out = new StringBuilder();
  private final Formatter formatted = new Formatter(out, Locale.ROOT);

  PciText(final PciDeviceInfo info) {
    this.info = info;
    config = new ConfigSpace(info.config());
  }

  /** The lines of the function, each with its line end. */
  String text(final int verbosity) {
    out.append(PciEntry.of(info).name()).insert(0, info.address() + " ");
    final int revision = config.u8(ConfigSpaceDescriptor.REVISION);
    if (revision != 0) {
      formatted.format(" (rev %02x)", revision);
    }
    out.append('\n');
    if (verbosity > 0) {
      subsystem();
      if (verbosity > 1) {
        registers();
      } else {
        flags();
      }
      info.bars().forEach(bar -> region(bar, verbosity > 1));
      config.capabilities().forEach(at -> capability(at, verbosity > 1));
      if (info.driver() != null) {
        formatted.format("\tKernel driver in use: %s\n", info.driver());
      }
    }
    return out.toString();
  }

  private void subsystem() {
    final int vendor = config.u16(ConfigSpaceDescriptor.SUBSYSTEM_VENDOR_ID);
    if (vendor != 0 && vendor != 0xffff) {
      formatted.format(
          "\tSubsystem: %s\n",
          PciNames.vendorAndNumber(vendor, config.u16(ConfigSpaceDescriptor.SUBSYSTEM_ID)));
    }
  }

  private void flags() {
    out.append("\tFlags: ");
    final boolean master = config.command(ConfigSpaceDescriptor.COMMAND_BUS_MASTER);
    out.append(master ? "bus master, " : "").append(devsel()).append(" devsel");
    if (master) {
      formatted.format(", latency %d", config.u8(ConfigSpaceDescriptor.LATENCY_TIMER));
    }
    if (irq() != 0) {
      formatted.format(", IRQ %d", irq());
    }
    out.append('\n');
  }

  private void registers() {
    final int command = config.u16(ConfigSpaceDescriptor.COMMAND);
    signs(
        "Control:",
        command,
        0,
        "I/O",
        "Mem",
        "BusMaster",
        "SpecCycle",
        "MemWINV",
        "VGASnoop",
        "ParErr",
        "Stepping",
        "SERR",
        "FastB2B",
        "DisINTx");
    out.append('\n');
    status();
    if (config.command(ConfigSpaceDescriptor.COMMAND_BUS_MASTER)) {
      formatted.format("\tLatency: %d", config.u8(ConfigSpaceDescriptor.LATENCY_TIMER));
      final int line = config.u8(ConfigSpaceDescriptor.CACHE_LINE);
      if (line != 0) {
        formatted.format(", Cache Line Size: %d bytes", 4 * line);
      }
      out.append('\n');
    }
    final int pin = config.u8(ConfigSpaceDescriptor.INTERRUPT_PIN);
    if (pin != 0 || irq() != 0) {
      formatted.format(
          "\tInterrupt: pin %c routed to IRQ %d\n", pin == 0 ? '?' : 'A' + pin - 1, irq());
    }
  }

  private void status() {
    final int status = config.u16(ConfigSpaceDescriptor.STATUS);
    signs("Status:", status, 4, "Cap", "66MHz", "UDF", "FastB2B", "ParErr");
    out.append(" DEVSEL=").append(devsel());
    sign(status, " >TAbort", 11);
    sign(status, " <TAbort", 12);
    sign(status, " <MAbort", 13);
    sign(status, " >SERR", 14);
    sign(status, " <PERR", 15);
    sign(status, " INTx", 3);
    out.append('\n');
  }

  private void region(final PciDeviceInfo.Bar bar, final boolean numbered) {
    out.append('\t');
    if (numbered) {
      formatted.format("Region %d: ", bar.index());
    }
    formatted.format(
        "Memory at %08x (%s, %s)",
        bar.address(),
        bar.wide() ? "64-bit" : "32-bit",
        bar.prefetchable() ? "prefetchable" : "non-prefetchable");
    if (!config.command(ConfigSpaceDescriptor.COMMAND_MEMORY)) {
      out.append(" [disabled]");
    }
    formatted.format(" [size=%s]\n", size(bar.size()));
  }

  private void capability(final int at, final boolean detailed) {
    formatted.format("\tCapabilities: [%02x] %s\n", at, Capabilities.title(config, at));
    if (detailed) {
      Capabilities.details(config, at).forEach(line -> formatted.format("\t\t%s\n", line));
    }
  }

  /** Names of consecutive bits, each with its value. */
  private void signs(
      final String title, final int value, final int firstBit, final String... names) {
    out.append('\t').append(title);
    for (int i = 0; i < names.length; i++) {
      sign(value, " " + names[i], firstBit + i);
    }
  }

  private void sign(final int value, final String name, final int bit) {
    out.append(name).append((value >>> bit & 1) != 0 ? '+' : '-');
  }

  private String devsel() {
    return DEVSEL[config.u16(ConfigSpaceDescriptor.STATUS) >>> DEVSEL_SHIFT & 3];
  }

  private int irq() {
    return info.irq() != 0 ? info.irq() : config.u8(ConfigSpaceDescriptor.INTERRUPT_LINE);
  }

  /** Sizes are powers of two, so that the largest unit fits. */
  private static String size(final long bytes) {
    final String units = "KMGT";
    long value = bytes;
    int unit = -1;
    while (value >= 1024 && value % 1024 == 0 && unit + 1 < units.length()) {
      value /= 1024;
      unit++;
    }
    return unit < 0 ? String.valueOf(value) : value + units.substring(unit, unit + 1);
  }
}
