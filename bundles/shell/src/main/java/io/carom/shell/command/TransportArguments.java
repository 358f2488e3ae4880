package io.carom.shell.command;

import java.util.List;
import picocli.CommandLine.Option;

/** What all types of devices have: rings, and the finer points of the SWIOTLB region. */
final class TransportArguments extends GivenOptions {
  @Option(
      names = "--ring",
      paramLabel = "LAYOUT",
      converter = Ring.class,
      completionCandidates = Ring.class,
      description = "Layout of its rings: split, packed, or both (default), as the driver likes.")
  void ring(final String value) {
    given("--ring", "ring", value);
  }

  @Option(
      names = "--in-order",
      paramLabel = "SWITCH",
      converter = Words.Switch.class,
      completionCandidates = Words.Switch.class,
      description = "Offer IN_ORDER, on (default) or off.")
  void inOrder(final String value) {
    given("--in-order", "inOrder", value.equals(Words.ON));
  }

  @Option(
      names = "--indirect",
      paramLabel = "SWITCH",
      converter = Words.Switch.class,
      completionCandidates = Words.Switch.class,
      description = "Offer INDIRECT_DESC, on (default) or off.")
  void indirect(final String value) {
    given("--indirect", "indirect", value.equals(Words.ON));
  }

  @Option(
      names = "--event-idx",
      paramLabel = "SWITCH",
      converter = Words.Switch.class,
      completionCandidates = Words.Switch.class,
      description = "Offer EVENT_IDX, on (default) or off.")
  void eventIdx(final String value) {
    given("--event-idx", "eventIdx", value.equals(Words.ON));
  }

  @Option(
      names = "--hide",
      paramLabel = "NAMES",
      description = "Features of the transport not to offer, such as RING_RESET,SUSPEND.")
  void hide(final String value) {
    given("--hide", "hide", value);
  }

  @Option(
      names = "--vendor-id",
      paramLabel = "ID",
      description = "Who is named in the vendor capability, such as 0x1234; none by default.")
  void vendor(final String value) {
    given("--vendor-id", "vendorId", value);
  }

  @Option(
      names = "--addressing",
      paramLabel = "KIND",
      converter = Addressing.class,
      completionCandidates = Addressing.class,
      description = "Addresses on the wire with SWIOTLB accepted: bus (default) or offset.")
  void addressing(final String value) {
    given("--addressing", "addressing", value);
  }

  @Option(
      names = "--region-location",
      paramLabel = "WHERE",
      converter = Location.class,
      completionCandidates = Location.class,
      description = "Where the region lies: bar (default), or ram.")
  void location(final String value) {
    given("--region-location", "regionLocation", value);
  }

  @Option(
      names = "--region-group",
      paramLabel = "NAME",
      description =
          "Functions of one device with this name share the region of function 0; with --slot.")
  void group(final String value) {
    given("--region-group", "regionGroup", value);
  }

  @Option(
      names = "--region-functions",
      paramLabel = "N",
      description = "How many functions such a group has, 2 (default) to 8.")
  void functions(final Integer value) {
    given("--region-functions", "regionFunctions", value);
  }

  @Option(
      names = "--scrub-on-reset",
      paramLabel = "SWITCH",
      converter = Words.Switch.class,
      completionCandidates = Words.Switch.class,
      description = "Zero the region on reset, on or off (default).")
  void scrub(final String value) {
    given("--scrub-on-reset", "scrubOnReset", value.equals(Words.ON));
  }

  @Option(
      names = "--region-without-bus-master",
      paramLabel = "SWITCH",
      converter = Words.Switch.class,
      completionCandidates = Words.Switch.class,
      description = "Reach the region with bus mastering off, on (default) or off.")
  void withoutBusMaster(final String value) {
    given("--region-without-bus-master", "regionWithoutBusMaster", value.equals(Words.ON));
  }

  @Option(
      names = "--mixing",
      paramLabel = "RULE",
      converter = Mixing.class,
      completionCandidates = Mixing.class,
      description = "Region and system memory in one queue: free (default), or all-or-nothing.")
  void mixing(final String value) {
    given("--mixing", "mixing", value);
  }

  @Option(
      names = "--caching",
      paramLabel = "MODE",
      converter = Caching.class,
      completionCandidates = Caching.class,
      description = "How the guest maps it: writeback (default), write-combining, uncached.")
  void caching(final String value) {
    given("--caching", "caching", value);
  }

  @Option(
      names = "--read-line-ns",
      paramLabel = "N",
      description = "ns that a load of a line of 64 bytes costs, but with writeback; 0 by default.")
  void readLine(final Integer value) {
    given("--read-line-ns", "readLineNs", value);
  }

  @Option(
      names = "--write-line-ns",
      paramLabel = "N",
      description = "ns that a store of a line costs, but with writeback; 0 by default.")
  void writeLine(final Integer value) {
    given("--write-line-ns", "writeLineNs", value);
  }

  @Option(
      names = "--swiotlb-bit",
      paramLabel = "N",
      description = "Number of the SWIOTLB feature; 27 by default.")
  void swiotlbBit(final Integer value) {
    given("--swiotlb-bit", "swiotlbBit", value);
  }

  @Option(
      names = "--dmb",
      paramLabel = "MODE",
      converter = Dmb.class,
      completionCandidates = Dmb.class,
      description = "VIRTIO_F_DMB: off (default), on, or strict; with --policy none.")
  void dmb(final String value) {
    given("--dmb", "dmb", value);
  }

  @Option(
      names = "--dmb-bit",
      paramLabel = "N",
      description = "Number of the DMB feature; 44 by default.")
  void dmbBit(final Integer value) {
    given("--dmb-bit", "dmbBit", value);
  }

  @Option(
      names = "--dmb-register",
      paramLabel = "N",
      description = "Offset of dmb_shm_id in the common configuration; 64 by default.")
  void dmbRegister(final Integer value) {
    given("--dmb-register", "dmbRegister", value);
  }

  @Option(
      names = "--dmb-shm-id",
      paramLabel = "N",
      description = "Shared memory id of the region with DMB; 0 by default.")
  void dmbShmId(final Integer value) {
    given("--dmb-shm-id", "dmbShmId", value);
  }

  @Option(
      names = "--spin-us",
      paramLabel = "N",
      description = "Microseconds that a queue's thread looks for a doorbell; 20 by default.")
  void spin(final Integer value) {
    given("--spin-us", "spinUs", value);
  }

  /** Layouts. */
  static final class Ring extends Words<String> {
    Ring() {
      super(List.of("split", "packed", "both"), text -> text);
    }
  }

  /** Kinds of addresses. */
  static final class Addressing extends Words<String> {
    Addressing() {
      super(List.of("bus", "offset"), text -> text);
    }
  }

  /** Places of a region. */
  static final class Location extends Words<String> {
    Location() {
      super(List.of("bar", "ram"), text -> text);
    }
  }

  /** Rules of mixing. */
  static final class Mixing extends Words<String> {
    Mixing() {
      super(List.of("free", "all-or-nothing"), text -> text);
    }
  }

  /** Modes of caching. */
  static final class Caching extends Words<String> {
    Caching() {
      super(List.of("writeback", "write-combining", "uncached"), text -> text);
    }
  }

  /** Modes of DMB. */
  static final class Dmb extends Words<String> {
    Dmb() {
      super(List.of("off", "on", "strict"), text -> text);
    }
  }
}
