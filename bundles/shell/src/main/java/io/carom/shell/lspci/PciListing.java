package io.carom.shell.lspci;

import io.carom.guest.PciDeviceInfo;
import io.carom.shell.json.JsonView;
import java.util.List;

/**
 * PCI functions as the guest sees them, and how much of them is wanted.
 *
 * @param functions the functions, by address
 * @param verbosity 0..2: how much the text says
 * @param hex whether the text dumps the header
 */
public record PciListing(List<PciDeviceInfo> functions, int verbosity, boolean hex)
    implements JsonView {
  /** Copies the list. */
  public PciListing {
    functions = List.copyOf(functions);
  }

  /** The whole text, in the format of pciutils. */
  public String text() {
    final StringBuilder out = new StringBuilder();
    for (final PciDeviceInfo function : functions) {
      out.append(new PciText(function).text(verbosity));
      if (hex) {
        out.append(HexDump.header(function.config()));
      }
      if (verbosity > 0 || hex) {
        out.append('\n');
      }
    }
    return out.toString();
  }

  @Override
  public Object json() {
    return new Entries(functions.stream().map(PciEntry::of).toList());
  }

  /** The JSON. */
  record Entries(List<PciEntry> functions) {}
}
