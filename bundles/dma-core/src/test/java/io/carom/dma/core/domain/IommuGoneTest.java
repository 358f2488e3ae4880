package io.carom.dma.core.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.MappingInfo;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.CoreKit;
import io.carom.dma.core.TestGuest;
import io.carom.dma.core.swap.Settings;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The IOMMU goes away while someone waits for it, and the core stops with mappings behind it. */
class IommuGoneTest {
  private static final String NAME = "0000:00:04.0";

  private final TestGuest guest = TestGuest.plain();
  private final TestIommu iommu = new TestIommu(guest);
  private final CoreKit kit =
      new CoreKit(
          guest, new Settings("direct", true, 1_000, SwapPolicy.ADOPT, 500).with(1_000, 50));
  private final DmaDevice device;

  IommuGoneTest() {
    kit.core.iommu(iommu);
    kit.add("remaps", new LeasingStrategy(false), 1);
    device = kit.device(DmaDeviceSpec.of(NAME, null), new Negotiation(false, true));
  }

  @AfterEach
  void close() {
    kit.close();
  }

  @Test
  void oneThatGoesAMomentAfterItsLastAnswerIsNotThere() throws Exception {
    iommu.dead = true;
    final Thread going =
        Thread.ofPlatform()
            .start(
                () -> {
                  CoreKit.await(() -> iommu.askedDead, "the request");
                  kit.core.iommu(null);
                });
    assertThatThrownBy(() -> kit.use(device, "remaps"))
        .hasStackTraceContaining(NAME + ": there is no IOMMU any more: probe " + NAME + ": DEVERR");
    going.join();
    assertThat(kit.info(device).strategy()).isEqualTo("direct");
  }

  @Test
  void oneThatStaysHasRefused() {
    iommu.dead = true;
    assertThatThrownBy(() -> kit.use(device, "remaps"))
        .hasStackTraceContaining(NAME + ": no IOMMU domain: probe " + NAME + ": DEVERR");
    iommu.dead = false;
    assertThat(kit.use(device, "remaps").outcome()).isEqualTo("DRAINED");
  }

  @Test
  void aStopNamesMappingsThatHaveAddressesOfTheirOwn() {
    kit.use(device, "remaps");
    final long buffer = guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    final MappingInfo listed = kit.core.mappings(NAME).getFirst();
    assertThat(listed.placement()).isEqualTo("REMAP");
    assertThat(listed.address()).isEqualTo("0x" + Long.toHexString(buffer));
    final String line =
        NAME + " holds 1 mappings: 0x" + Long.toHexString(bus) + " 4096 bytes TO_DEVICE ";
    assertThat(kit.core.holding()).hasSize(1).allMatch(l -> l.startsWith(line));
    final List<String> holding = kit.core.stop();
    assertThat(holding).hasSize(1).allMatch(l -> l.startsWith(line) && l.endsWith(" ms old"));
    device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(kit.core.holding()).isEmpty();
  }
}
