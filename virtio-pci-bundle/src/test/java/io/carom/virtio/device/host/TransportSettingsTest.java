package io.carom.virtio.device.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.RegionCaching;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.RegionOptions.Addressing;
import io.carom.virtio.RegionOptions.DmbMode;
import io.carom.virtio.RegionOptions.Mixing;
import io.carom.virtio.RingOptions;
import io.carom.virtio.RingOptions.Layout;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.device.transport.VendorData;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TransportSettingsTest {
  private static TransportSettings parse(final String... pairs) {
    final Map<String, Object> properties = new HashMap<>();
    for (final String pair : pairs) {
      final int at = pair.indexOf('=');
      properties.put(pair.substring(0, at), pair.substring(at + 1));
    }
    return TransportSettings.parse(properties, 1, 256);
  }

  @Test
  void nothingSetIsTheProposalsHint() {
    final TransportSettings settings = parse();
    assertThat(settings.region()).isEqualTo(RegionOptions.of(SwiotlbPolicy.HINT, 16 << 20));
    assertThat(settings.ring()).isEqualTo(RingOptions.DEFAULT);
    assertThat(settings.hidden()).isZero();
    assertThat(settings.vendor()).isNull();
    assertThat(settings.slot()).isNull();
    assertThat(settings.spinUs()).isEqualTo(20);
    assertThat(parse("policy=none").region()).isEqualTo(RegionOptions.NONE);
  }

  @Test
  void everythingSet() {
    final TransportSettings settings =
        parse(
            "policy=Compat",
            "regionBytes=0x400000",
            "swiotlbBit=45",
            "addressing=offset",
            "scrubOnReset=true",
            "regionWithoutBusMaster=false",
            "mixing=all-or-nothing",
            "caching=write-combining",
            "readLineNs=100",
            "writeLineNs=10",
            "ring=packed",
            "inOrder=false",
            "indirect=false",
            "eventIdx=false",
            "hide=RING_RESET, SUSPEND",
            "vendorId=0x1234",
            "slot=00:04.0",
            "spinUs=0");
    final RegionOptions region = settings.region();
    assertThat(region.policy()).isEqualTo(SwiotlbPolicy.COMPAT);
    assertThat(region.bytes()).isEqualTo(4 << 20);
    assertThat(region.swiotlbMask()).isEqualTo(1L << 45);
    assertThat(region.addressing()).isEqualTo(Addressing.OFFSET);
    assertThat(region.scrubOnReset()).isTrue();
    assertThat(region.withoutBusMaster()).isFalse();
    assertThat(region.mixing()).isEqualTo(Mixing.ALL_OR_NOTHING);
    assertThat(region.caching()).isEqualTo(RegionCaching.WRITE_COMBINING);
    assertThat(region.readLineNs()).isEqualTo(100);
    assertThat(region.writeLineNs()).isEqualTo(10);
    assertThat(settings.ring()).isEqualTo(new RingOptions(Layout.PACKED, false, false, false));
    assertThat(settings.hidden()).isEqualTo(1L << 40 | 1L << 43);
    assertThat(settings.vendor()).isEqualTo(new VendorData(0x1234, "Carom 0.0.0"));
    assertThat(settings.slot()).isEqualTo("00:04.0");
    assertThat(settings.serviceProperties("d").get("io.carom.pci.slot")).isEqualTo("00:04.0");
    assertThat(parse("policy=none", "dmb=strict", "dmbShmId=3").region().dmb().mode())
        .isEqualTo(DmbMode.STRICT);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "policy=tight | policy=tight is unknown: use one of none, hint, compat, strict",
        "regionBytes=many | regionBytes=many is not a number",
        "regionBytes=262144 | too small for queues=1, queueSize=256",
        "regionBytes=4294967296 | not a multiple of 262144",
        "swiotlbBit=-1 | swiotlbBit=-1 is not in 0..127",
        "addressing=far | use one of bus, offset",
        "addressing=offset | addressing=offset needs a feature",
        "policy=none addressing=offset | policy=none has none",
        "policy=none regionLocation=ram | policy=none has none",
        "policy=none scrubOnReset=true | policy=none has none",
        "policy=none regionGroup=g slot=00:05.0 | policy=none has none",
        "policy=none mixing=all-or-nothing | policy=none has none",
        "policy=none caching=uncached | policy=none has none",
        "scrubOnReset=maybe | scrubOnReset=maybe is neither true nor false",
        "regionLocation=disk | use one of bar, ram",
        "regionLocation=ram caching=uncached | caching=uncached is for a BAR",
        "readLineNs=5 | cost nothing with caching=writeback",
        "caching=uncached readLineNs=-1 | readLineNs=-1 is not in",
        "regionGroup=g | regionGroup=g needs slot",
        "regionGroup=g slot=00:05.0 regionLocation=ram | set regionLocation=bar",
        "regionGroup=g slot=00:05.0 scrubOnReset=true | would wipe the others' memory",
        "regionGroup=g slot=00:05.0 caching=uncached | needs caching=writeback",
        "regionGroup=g slot=00:05.3 | regionFunctions=2 does not hold function 3",
        "regionFunctions=2 | set regionGroup",
        "dmb=maybe | use one of off, on, strict",
        "dmb=on | dmb=on and policy=hint both say what addresses are",
        "policy=none dmb=on regionLocation=ram | leave regionLocation and regionGroup",
        "policy=none dmb=on caching=write-combining | is no substitute",
        "policy=none dmb=on dmbRegister=62 | dmbRegister=62 is not behind the other fields",
        "policy=none dmb=on dmbRegister=256 | use 64..255",
        "policy=none dmb=on dmbShmId=256 | dmbShmId=256 is not in 0..255",
        "ring=round | use one of split, packed, both",
        "hide=SUSPEND,VERSION_1 | hide=VERSION_1 is no feature that can be hidden: use any of",
        "vendorId=0x1af4 | vendorId=6900: vendor id 0x1af4",
        "vendorId=65535 | vendorId=65535 is not in 0..65534",
        "slot=4 | slot=4: '4' is not a PCI address",
        "spinUs=-1 | spinUs=-1 is not in 0..1000000"
      })
  void badOnesAreRefusedInOneLine(final String pairs, final String why) {
    assertThatThrownBy(() -> parse(pairs.trim().split(" ")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why.trim())
        .message()
        .doesNotContain("\n");
  }
}
