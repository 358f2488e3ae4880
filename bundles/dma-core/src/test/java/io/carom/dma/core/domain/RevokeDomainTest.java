package io.carom.dma.core.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.CoreKit;
import io.carom.dma.core.SlotStrategy;
import io.carom.dma.core.TestGuest;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.swap.Settings;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Cancelling and revoking behind an IOMMU. */
class RevokeDomainTest {
  private static final String NAME = "0000:00:04.0";
  private static final SwapOptions REVOKE = new SwapOptions(null, 30L, SwapPolicy.REVOKE);
  private static final SwapOptions LONG = new SwapOptions(null, 20_000L, null);
  private static final DmaDirection FROM = DmaDirection.FROM_DEVICE;
  private static final DmaDirection TO = DmaDirection.TO_DEVICE;

  private final TestGuest guest = TestGuest.plain();
  private final TestIommu iommu = new TestIommu(guest);
  private final CoreKit kit = new CoreKit(guest, Settings.DEFAULTS);
  private final DmaDevice device;

  RevokeDomainTest() {
    kit.core.iommu(iommu);
    kit.add("remaps", new LeasingStrategy(false), 1);
    kit.add("bounces", new LeasingStrategy(true), 2);
    kit.add("slots", new SlotStrategy(1 << 20, 1), 3);
    device = kit.device(DmaDeviceSpec.of(NAME, null), new Negotiation(false, true));
  }

  @AfterEach
  void close() {
    kit.close();
  }

  private long map(final long buffer, final DmaDirection direction) {
    final long bus = device.map(buffer, 4096, direction, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    return bus;
  }

  private CompletableFuture<SwapReport> draining(final String to) {
    final var swap = kit.core.use(NAME, to, LONG).toCompletableFuture();
    CoreKit.await(
        () -> kit.core.transitions().stream().anyMatch(t -> t.state().equals("DRAINING")),
        "draining");
    return swap;
  }

  @Test
  void unmappingInTheIommuFencesWhatIsReachedWhereItLies() {
    kit.use(device, "remaps");
    final long bus = map(guest.buffer(4096, 1), FROM);
    assertThat(iommu.write(NAME, bus, 3)).isTrue();
    final SwapReport report = kit.use(device, "slots", REVOKE);
    assertThat(report.outcome()).isEqualTo("REVOKED");
    assertThat(report.revokedMappings()).isEqualTo(1);
    assertThat(report.note())
        .startsWith("not fenced: the driver of " + NAME + " has no fence; taken out of the IOMMU");
    assertThat(iommu.write(NAME, bus, 4)).as("the device reaches it no more").isFalse();
    kit.use(device, "remaps");
    final long young = map(guest.buffer(4096, 2), FROM);
    assertThat(young).as("the address is kept for its unmap").isNotEqualTo(bus);
    device.unmap(bus, 4096, FROM, 0);
    device.unmap(young, 4096, FROM, 0);
    assertThatThrownBy(() -> device.unmap(bus, 4096, FROM, 0))
        .isInstanceOf(DmaUsageException.class);
  }

  @Test
  void addressesThatADriverNeverUnmapsGoBackWhenItsDeviceIsClosed() {
    kit.use(device, "remaps");
    final long bus = map(guest.buffer(4096, 1), FROM);
    final long other = map(guest.buffer(4096, 1), FROM);
    assertThat(kit.use(device, "slots", REVOKE).outcome()).isEqualTo("REVOKED");
    final DmaDomain domain = Objects.requireNonNull(((DeviceDma) device).mapper().domain());
    assertThat(domain.addresses().leasedBytes()).as("kept").isEqualTo(8192);
    device.unmap(bus, 4096, FROM, 0);
    assertThat(domain.addresses().leasedBytes()).isEqualTo(4096);
    device.close();
    assertThat(domain.addresses().leasedBytes()).isZero();
    device.unmap(other, 4096, FROM, 0); // late, and still quiet
    assertThat(domain.addresses().leasedBytes()).isZero();
  }

  @Test
  void aBounceThatIsOnlyReadIsFencedSoToo() {
    kit.use(device, "bounces");
    final long bus = map(guest.buffer(4096, 1), TO);
    assertThat(iommu.read(NAME, bus)).isEqualTo(1);
    final SwapReport report = kit.use(device, "slots", REVOKE);
    assertThat(report.outcome()).isEqualTo("REVOKED");
    CoreKit.await(() -> iommu.read(NAME, bus) < 0, "the device reaches it no more");
    device.unmap(bus, 4096, TO, 0);
  }

  @Test
  void aBounceWhoseBytesMayBeUnderWayIsNot() {
    kit.use(device, "bounces");
    final long buffer = guest.buffer(4096, 1);
    final long bus = map(buffer, FROM);
    final SwapReport report = kit.use(device, "slots", REVOKE);
    assertThat(report.outcome()).isEqualTo("QUARANTINED");
    assertThat(report.note())
        .contains("nor taken out of the IOMMU domain: 1 mappings are copied back");
    assertThat(iommu.write(NAME, bus, 8)).isTrue();
    device.unmap(bus, 4096, FROM, 0);
    assertThat(guest.get(buffer)).as("delivered").isEqualTo(8);
  }

  @Test
  void withAResetEverythingIsRevoked() {
    device.fence(timeout -> true);
    for (final String strategy : new String[] {"remaps", "bounces", "slots"}) {
      kit.use(device, strategy);
      final long bus = map(guest.buffer(4096, 1), FROM);
      final String next = strategy.equals("slots") ? "remaps" : "slots";
      final SwapReport report = kit.use(device, next, REVOKE);
      assertThat(report.outcome()).as(strategy).isEqualTo("REVOKED");
      assertThat(report.revokedMappings()).isEqualTo(1);
      device.unmap(bus, 4096, FROM, 0);
    }
    assertThat(device.liveMappings()).isZero();
  }

  @Test
  void aSwapIntoTheDomainIsTakenBackWithAllOfRamInReach() throws Exception {
    iommu.bypass = false;
    kit.use(device, "slots");
    final long old = map(guest.buffer(4096, 1), TO);
    final CompletableFuture<SwapReport> swap = draining("remaps");
    final long young = map(guest.buffer(4096, 2), TO);
    kit.core.cancel(NAME);
    final long again = map(guest.buffer(4096, 3), TO);
    assertThat(iommu.read(NAME, old)).isEqualTo(1);
    assertThat(iommu.read(NAME, young)).isEqualTo(2);
    assertThat(iommu.read(NAME, again)).isEqualTo(3);
    device.unmap(young, 4096, TO, 0);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("CANCELLED");
    device.unmap(old, 4096, TO, 0);
    device.unmap(again, 4096, TO, 0);
  }

  @Test
  void aSwapOutOfTheDomainIsTakenBackAndItsWindowsClose() throws Exception {
    kit.use(device, "remaps");
    final long old = map(guest.buffer(4096, 1), TO);
    final CompletableFuture<SwapReport> swap = draining("direct");
    final long elsewhere = guest.buffer(4096, 9);
    assertThat(iommu.read(NAME, elsewhere)).as("all of RAM is open").isEqualTo(9);
    final long young = map(guest.buffer(4096, 2), TO);
    kit.core.cancel(NAME);
    final long again = map(guest.buffer(4096, 3), TO);
    assertThat(iommu.read(NAME, old)).isEqualTo(1);
    assertThat(iommu.read(NAME, young)).isEqualTo(2);
    assertThat(iommu.read(NAME, again)).isEqualTo(3);
    device.unmap(young, 4096, TO, 0);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("CANCELLED");
    CoreKit.await(() -> iommu.read(NAME, elsewhere) < 0, "the windows close");
    device.unmap(old, 4096, TO, 0);
    device.unmap(again, 4096, TO, 0);
  }

  @Test
  void aDomainThatWasLeftIsNotEnteredAgain() throws Exception {
    kit.use(device, "remaps");
    final long old = map(guest.buffer(4096, 1), TO);
    final CompletableFuture<SwapReport> swap = draining("direct");
    iommu.restart();
    kit.core.iommu(null);
    assertThatThrownBy(() -> kit.core.cancel(NAME))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(NAME + " cannot go back to remaps");
    device.unmap(old, 4096, TO, 0);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("DRAINED");
  }
}
