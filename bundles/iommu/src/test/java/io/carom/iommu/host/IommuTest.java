package io.carom.iommu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.iommu.IommuHost.DomainInfo;
import io.carom.iommu.IommuHost.EndpointInfo;
import io.carom.iommu.IommuHost.MappingRange;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.iommu.host.cost.CostProfiles;
import io.carom.pci.BusAccess;
import io.carom.pci.Translation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who is attached to what, and what becomes of accesses. */
class IommuTest {
  private static final long PAGE = 4096;
  private static final long IOVA = 0x10_0000;

  private final Rig rig = new Rig();

  private void attachAndMap() {
    assertThat(rig.attach(1, Rig.EP_A)).isEqualTo(IommuStatus.OK);
    assertThat(rig.map(1, IOVA, 2 * PAGE, 0x5000)).isEqualTo(IommuStatus.OK);
  }

  @Test
  void unattachedFunctionsPassOrAreBlockedAsConfigured() {
    assertThat(rig.read(Rig.A, 0x1234, 4)).isEqualTo(0x1234);
    final Rig strict = new Rig(IommuSettings.DEFAULTS.withBypass(false));
    assertThat(strict.read(Rig.A, 0x1234, 4)).isEqualTo(Translation.FAULT);
    assertThat(strict.view.endpoints())
        .containsExactly(new EndpointInfo(Rig.A, "blocked"), new EndpointInfo(Rig.B, "blocked"));
    assertThat(strict.view.faults()).extracting(f -> f.reason()).containsExactly("DOMAIN");
  }

  @Test
  void theDriverMayChangeBypass() {
    rig.model.configWritten(VirtioIommuDescriptor.CONFIG_BYPASS, 1, 0);
    assertThat(rig.read(Rig.A, 0, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.configs).containsExactly("36=0");
    rig.model.configWritten(VirtioIommuDescriptor.CONFIG_BYPASS, 1, 2); // no value of it
    rig.model.configWritten(VirtioIommuDescriptor.CONFIG_PROBE_SIZE, 4, 1); // not its to write
    assertThat(rig.iommu.bypass()).isFalse();
    rig.model.reset(); // keeps it
    assertThat(rig.read(Rig.A, 0, 4)).isEqualTo(Translation.FAULT);
    rig.ports.open("00:06.0"); // a function that is plugged later
    assertThat(rig.read("00:06.0", 0, 4)).isEqualTo(Translation.FAULT);
    rig.model.bypass(true);
    assertThat(rig.configs).last().isEqualTo("36=1 notify");
    assertThat(rig.read(Rig.A, 8, 4)).isEqualTo(8);
    assertThat(rig.read("00:06.0", 8, 4)).isEqualTo(8);
  }

  @Test
  void anAttachedFunctionReachesWhatIsMappedAndNothingElse() {
    attachAndMap();
    assertThat(rig.read(Rig.A, IOVA + 8, PAGE)).isEqualTo(0x5008);
    assertThat(rig.write(Rig.A, IOVA + (2 * PAGE) - 1, 1)).isEqualTo(0x5000 + (2 * PAGE) - 1);
    assertThat(rig.read(Rig.A, IOVA - 1, 1)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, IOVA - 1, 2)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, IOVA + (2 * PAGE) - 1, 2)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, 0x5000, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, -1L, 2)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, IOVA, Long.MAX_VALUE)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, IOVA, 0)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, IOVA, -1)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.B, 0x5000, 4)).isEqualTo(0x5000); // not attached
    assertThat(rig.view.domains())
        .containsExactly(new DomainInfo(1, false, List.of(Rig.A), 1, 2, 2 * PAGE));
    assertThat(rig.view.endpoints()).containsExactly(new EndpointInfo(Rig.B, "bypassed"));
    assertThat(rig.view.mappings(1, 5))
        .containsExactly(new MappingRange(IOVA, IOVA + (2 * PAGE) - 1, 0x5000, "rw"));
    assertThat(rig.view.mappings(1, 0)).isEmpty();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> rig.view.mappings(2, 5))
        .withMessage("no domain 2; valid: [1]");
  }

  @Test
  void permissionsAreExact() {
    assertThat(rig.attach(1, Rig.EP_A)).isZero();
    for (int flags = 0; flags < 8; flags++) {
      final long at = flags * PAGE;
      assertThat(rig.status(Rig.mapBytes(1, at, at + PAGE - 1, at, flags))).isZero();
      for (int again = 0; again < 2; again++) { // from the page table, then from the cache
        assertThat(rig.read(Rig.A, at, 4)).isEqualTo((flags & 1) != 0 ? at : Translation.FAULT);
        assertThat(rig.write(Rig.A, at, 4)).isEqualTo((flags & 2) != 0 ? at : Translation.FAULT);
      }
    }
    assertThat(rig.view.mappings(1, 8))
        .extracting(MappingRange::permissions)
        .containsExactly("--", "r-", "-w", "rw", "--m", "r-m", "-wm", "rwm");
  }

  @Test
  void aRunIsCutWhereMemoryIsScattered() {
    assertThat(rig.attach(1, Rig.EP_A)).isZero();
    assertThat(rig.map(1, 0, 2 * PAGE, 0x10000)).isZero();
    assertThat(rig.map(1, 2 * PAGE, PAGE, 0x12000)).isZero(); // goes on
    assertThat(rig.map(1, 3 * PAGE, PAGE, 0x20000)).isZero(); // does not
    assertThat(rig.map(1, 5 * PAGE, PAGE, 0x30000)).isZero();
    final Translation translation = rig.ports.of(Rig.A);
    assertThat(translation).isNotNull();
    assertThat(translation.contiguous(16, 4 * PAGE, BusAccess.READ)).isEqualTo((3 * PAGE) - 16);
    assertThat(translation.contiguous(16, PAGE, BusAccess.READ)).isEqualTo(PAGE);
    assertThat(translation.contiguous(3 * PAGE, 3 * PAGE, BusAccess.READ)).isEqualTo(PAGE);
    assertThat(translation.contiguous(4 * PAGE, PAGE, BusAccess.READ)).isEqualTo(PAGE);
    assertThat(rig.view.faults()).isEmpty();
    assertThat(rig.read(Rig.A, 16, (3 * PAGE) - 16)).isEqualTo(0x10010);
    assertThat(rig.view.faults()).isEmpty();
    assertThat(rig.read(Rig.A, 16, 3 * PAGE)).isEqualTo(Translation.FAULT);
    assertThat(rig.view.faults()).extracting(f -> f.reason()).containsExactly("UNKNOWN");
  }

  @Test
  void anUnmapInvalidatesEveryFunctionOfTheDomainBeforeItIsAnswered() {
    attachAndMap();
    assertThat(rig.attach(1, Rig.EP_B)).isZero();
    assertThat(rig.attach(1, 0)).isZero(); // does no DMA: nobody is asked
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(0x5000);
    assertThat(rig.read(Rig.B, IOVA, 4)).isEqualTo(0x5000);
    rig.ports.calls.clear();
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isZero();
    assertThat(rig.ports.calls)
        .containsExactlyInAnyOrder("invalidated " + Rig.A, "invalidated " + Rig.B);
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.B, IOVA, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.view.iotlb().invalidations()).isEqualTo(2);
    rig.ports.calls.clear();
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isZero(); // nothing was mapped
    assertThat(rig.ports.calls).isEmpty();
  }

  @Test
  void theCacheAnswersUntilThen() {
    attachAndMap();
    for (int i = 0; i < 10; i++) {
      assertThat(rig.read(Rig.A, IOVA + PAGE, 4)).isEqualTo(0x5000 + PAGE);
    }
    assertThat(rig.view.iotlb().hits()).isEqualTo(9);
    assertThat(rig.view.iotlb().misses()).isEqualTo(1);
  }

  @Test
  void anAccessThatOutlivesTheDeadlineIsWaitedForAgain() {
    attachAndMap();
    rig.ports.late.add(Rig.A);
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isEqualTo(IommuStatus.DEVERR);
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isEqualTo(IommuStatus.DEVERR);
    assertThat(rig.iommu.lateAccesses()).isEqualTo(2);
    rig.ports.late.clear();
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isEqualTo(IommuStatus.OK);
    rig.ports.calls.clear();
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isEqualTo(IommuStatus.OK);
    assertThat(rig.ports.calls).isEmpty();
    rig.ports.late.add(Rig.A);
    assertThat(rig.attach(2, Rig.EP_A)).isEqualTo(IommuStatus.DEVERR);
    assertThat(rig.detach(2, Rig.EP_A)).isEqualTo(IommuStatus.DEVERR);
  }

  @Test
  void aFunctionThatWasUnpluggedIsNotWaitedFor() {
    attachAndMap();
    rig.functions.remove(Rig.A);
    rig.ports.close(Rig.A);
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isZero();
    assertThat(rig.detach(1, Rig.EP_A)).isZero();
    assertThat(rig.attach(1, Rig.EP_A)).isEqualTo(IommuStatus.NOENT);
    assertThat(rig.iommu.lateAccesses()).isZero();
  }

  @Test
  void attachMovesAFunctionAndEndsTheDomainThatItWasTheLastOf() {
    attachAndMap();
    assertThat(rig.attach(2, Rig.EP_B)).isZero();
    assertThat(rig.map(2, IOVA, PAGE, 0x9000)).isZero();
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(0x5000);
    rig.ports.calls.clear();
    assertThat(rig.attach(2, Rig.EP_A)).isZero();
    assertThat(rig.ports.calls).containsExactly("translate " + Rig.A);
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(0x9000);
    assertThat(rig.read(Rig.A, IOVA + PAGE, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.view.domains())
        .containsExactly(new DomainInfo(2, false, List.of(Rig.A, Rig.B), 1, 1, PAGE));
    assertThat(rig.map(1, 0, PAGE, 0)).isEqualTo(IommuStatus.NOENT);
    assertThat(rig.view.counters().mappedPages()).isEqualTo(1);
    assertThat(rig.view.counters().peakPages()).isEqualTo(3);
  }

  @Test
  void detachLetsThroughOrBlocksAndTheLastOneEndsTheDomain() {
    attachAndMap();
    assertThat(rig.detach(1, Rig.EP_A)).isZero();
    assertThat(rig.ports.of(Rig.A)).isNull();
    assertThat(rig.view.domains()).isEmpty();
    assertThat(rig.iommu.tablePages()).isZero();
    rig.model.bypass(false);
    attachAndMap(); // of an empty domain again
    assertThat(rig.detach(1, Rig.EP_A)).isZero();
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(Translation.FAULT);
  }

  @Test
  void aBypassDomainPassesWhateverTheConfigurationSays() {
    rig.model.bypass(false);
    assertThat(rig.status(Rig.attachBytes(1, Rig.EP_A, 1))).isZero();
    assertThat(rig.read(Rig.A, 0x77, 4)).isEqualTo(0x77);
    assertThat(rig.read(Rig.B, 0x77, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.view.domains().getFirst().bypass()).isTrue();
    assertThat(rig.detach(1, Rig.EP_A)).isZero();
    assertThat(rig.read(Rig.A, 0x77, 4)).isEqualTo(Translation.FAULT);
  }

  @Test
  void aDomainCanBeFilledBehindTheHostBridgeBeforeADeviceComes() {
    assertThat(rig.attach(1, 0)).isZero();
    assertThat(rig.map(1, IOVA, PAGE, 0x5000)).isZero();
    assertThat(rig.attach(1, Rig.EP_A)).isZero();
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(0x5000);
    assertThat(rig.detach(1, Rig.EP_A)).isZero();
    assertThat(rig.view.mappings(1, 9)).hasSize(1); // the bridge holds it
  }

  @Test
  void aResetDetachesEverything() {
    attachAndMap();
    assertThat(rig.status(Rig.attachBytes(2, Rig.EP_B, 1))).isZero();
    rig.ports.calls.clear();
    rig.model.reset();
    assertThat(rig.ports.calls).containsExactlyInAnyOrder("pass " + Rig.A, "pass " + Rig.B);
    assertThat(rig.view.domains()).isEmpty();
    assertThat(rig.view.counters().mappedPages()).isZero();
    assertThat(rig.iommu.tablePages()).isZero();
    assertThat(rig.view.endpoints())
        .containsExactly(new EndpointInfo(Rig.A, "bypassed"), new EndpointInfo(Rig.B, "bypassed"));
  }

  @Test
  void whenTheIommusFunctionIsTakenOutWhatWasTranslatedIsBlocked() {
    attachAndMap();
    rig.slotKept = false;
    rig.model.unplugged();
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.B, IOVA, 4)).isEqualTo(IOVA);
    rig.model.plugged(rig);
    rig.model.reset(); // a new driver's first step does not let it through
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(Translation.FAULT);
    assertThat(rig.view.endpoints()).contains(new EndpointInfo(Rig.A, "blocked"));
    attachAndMap();
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(0x5000);
    assertThat(rig.detach(1, Rig.EP_A)).isZero();
    assertThat(rig.read(Rig.A, IOVA, 4)).isEqualTo(IOVA);
  }

  @Test
  void itsOwnFunctionIsNoEndpoint() {
    final Rig strict = new Rig(IommuSettings.DEFAULTS.withBypass(false));
    strict.functions.add(strict.address());
    strict.ports.open(strict.address());
    assertThat(strict.ports.of(strict.address())).isNull();
    assertThat(strict.model.translated()).isFalse();
    assertThat(strict.view.endpoints())
        .extracting(EndpointInfo::endpoint)
        .doesNotContain("00:1f.0");
  }

  @Test
  void theConfigurationStructureSaysWhatItCan() {
    final Rig s390 =
        new Rig(
            IommuSettings.DEFAULTS
                .withProfile(CostProfiles.of(CostProfiles.S390))
                .withBypass(false)
                .withInputBits(40));
    final ByteBuffer config = ByteBuffer.wrap(s390.model.config()).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(config.capacity()).isEqualTo(40);
    assertThat(config.getLong(0)).isEqualTo(0x4020_1000L);
    assertThat(config.getLong(8)).isEqualTo(1L << 32);
    assertThat(config.getLong(16)).isEqualTo((1L << 40) - 1);
    assertThat(config.getInt(24)).isZero();
    assertThat(config.getInt(28)).isEqualTo(0xffff);
    assertThat(config.getInt(32)).isEqualTo(512);
    assertThat(config.get(36)).isZero();
    assertThat(rig.model.config()[36]).isEqualTo((byte) 1);
    assertThat(s390.attach(1, Rig.EP_A)).isZero();
    assertThat(s390.map(1, (1L << 32) - PAGE, PAGE, 0)).isEqualTo(IommuStatus.RANGE);
    assertThat(s390.map(1, 1L << 32, PAGE, 0)).isZero();
    assertThat(rig.model.type()).isEqualTo(23);
    assertThat(rig.model.classCode()).isEqualTo(0x080600);
    assertThat(rig.model.features()).isEqualTo(0b1110111);
    assertThat(rig.model.servedAtDoorbell(0)).isTrue();
    assertThat(rig.model.eventQueue(0)).isFalse();
    assertThat(rig.model.eventQueue(1)).isTrue();
  }
}
