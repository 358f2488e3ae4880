package io.carom.pci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a function is: everything its config space is made of.
 *
 * @param vendorId 16 bits
 * @param deviceId 16 bits
 * @param revision 8 bits
 * @param classCode 24 bits: base class, subclass, interface
 * @param subsystemVendorId 16 bits
 * @param subsystemId 16 bits
 * @param interruptPin 0 none, 1 INTA# .. 4 INTD#
 * @param bars the BARs, any order
 * @param capabilities the chain in the order in which the guest finds it
 * @param msix the MSI-X structure, or null
 */
public record PciFunctionSpec(
    int vendorId,
    int deviceId,
    int revision,
    int classCode,
    int subsystemVendorId,
    int subsystemId,
    int interruptPin,
    List<BarSpec> bars,
    List<CapabilitySpec> capabilities,
    @Nullable MsixSpec msix) {
  /** Copies the lists. */
  public PciFunctionSpec {
    bars = List.copyOf(bars);
    capabilities = List.copyOf(capabilities);
  }

  /** The same, with side effects of capabilities that are none: nothing of the function's code. */
  public PciFunctionSpec withoutCode() {
    return new PciFunctionSpec(
        vendorId,
        deviceId,
        revision,
        classCode,
        subsystemVendorId,
        subsystemId,
        interruptPin,
        bars,
        capabilities.stream().map(CapabilitySpec::withoutCode).toList(),
        msix);
  }
}
