package io.carom.guest.shim.iommu;

import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.pci.PciAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which endpoint is attached to which domain.
 *
 * <p>An IOMMU knows a domain only while an endpoint is attached to it. So that a domain can be
 * filled before a device may use it, the host bridge's endpoint, which does no DMA, is attached to
 * it first: there is one such endpoint, and it moves to the domain that was made last, or that a
 * device is about to be attached to. The domain that it leaves is forgotten by the IOMMU when it
 * had no other endpoint; its mappings are replayed when it gets one. A device is attached only
 * after everything in its domain is mapped: at no time does it fault on what is noted there.
 *
 * <p>Guarded by the request queue's lock, as everything that is reached from here.
 */
final class Attachments {
  private static final PciAddress HOST_BRIDGE = new PciAddress(0, 0, 0);

  private final RequestQueue requests;
  private final PciFunctions functions;
  private final Map<PciAddress, Attached> attached = new HashMap<>();

  /** The plugging tells a function from another that sits in its place later. */
  private record Attached(IommuDomain domain, long plugging) {}

  Attachments(final RequestQueue requests, final PciFunctions functions) {
    this.requests = requests;
    this.functions = functions;
  }

  /** Makes the IOMMU know a domain that nothing is attached to. */
  int found(final IommuDomain domain) {
    return move(HOST_BRIDGE, domain);
  }

  int attach(final IommuDomain domain, final String device) {
    final PciAddress endpoint = PciAddress.parse(device);
    final Attached before = attached.get(endpoint);
    if (before != null && before.plugging() != functions.plugging(endpoint)) {
      // the one that was attached is gone, and the IOMMU may or may not have noticed
      drop(endpoint, before.domain());
    } else if (before != null && before.domain() == domain) {
      return IommuStatus.OK; // asking again would take it out first
    }
    if (!domain.known() && !domain.isEmpty()) {
      final int status = found(domain);
      final int replayed = status == IommuStatus.OK ? domain.replay() : status;
      if (replayed != IommuStatus.OK) {
        if (status == IommuStatus.OK) {
          drop(HOST_BRIDGE, domain);
        }
        return replayed;
      }
    }
    return move(endpoint, domain);
  }

  int detach(final IommuDomain domain, final String device) {
    return drop(PciAddress.parse(device), domain);
  }

  /** Detaches all endpoints of a domain; whether that went well. */
  boolean detachAll(final IommuDomain domain) {
    boolean clean = true;
    for (final PciAddress endpoint : List.copyOf(attached.keySet())) {
      final Attached of = attached.get(endpoint);
      if (of != null && of.domain() == domain) {
        clean &= drop(endpoint, domain) == IommuStatus.OK;
      }
    }
    return clean;
  }

  private int move(final PciAddress endpoint, final IommuDomain domain) {
    requests.begin(1);
    requests.attach(0, domain.id(), number(endpoint));
    requests.sync();
    final int status = requests.answer(0);
    if (status == IommuStatus.OK) {
      final Attached before =
          attached.put(endpoint, new Attached(domain, functions.plugging(endpoint)));
      domain.gained(); // first: it may be the same one
      if (before != null) {
        before.domain().lost();
      }
    }
    return status;
  }

  private int drop(final PciAddress endpoint, final IommuDomain domain) {
    requests.begin(1);
    requests.detach(0, domain.id(), number(endpoint));
    requests.sync();
    final int status = requests.answer(0);
    final @Nullable Attached before = attached.get(endpoint);
    final boolean gone = functions.plugging(endpoint) == PciFunctions.ABSENT;
    final boolean replaced = before != null && before.plugging() != functions.plugging(endpoint);
    if (before != null
        && before.domain() == domain
        && (status == IommuStatus.OK || replaced || (gone && !endpoint.equals(HOST_BRIDGE)))) {
      attached.remove(endpoint);
      domain.lost();
    }
    return status;
  }

  private static int number(final PciAddress endpoint) {
    return VirtioIommuDescriptor.endpoint(endpoint.toString());
  }
}
