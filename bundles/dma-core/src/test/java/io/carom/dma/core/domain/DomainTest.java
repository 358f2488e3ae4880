package io.carom.dma.core.domain;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.core.TestGuest;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.IovaSpace;
import io.carom.iommu.IommuStatus;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One domain, without strategies: windows, extents, and the addresses of a pool. */
class DomainTest {
  private static final int READ_WRITE = IovaSpace.READ | IovaSpace.WRITE;
  private static final long MIB = 1 << 20;

  private final TestGuest guest = TestGuest.plain();
  private final TestIommu iommu = new TestIommu(guest);
  private DmaDomain domain;

  @BeforeEach
  void attach() throws Exception {
    domain =
        new DmaDomain(iommu, guest, guest, new AtomicInteger(), List.of(), 2, System::nanoTime);
    domain.attach("dev");
  }

  private boolean reaches(final long bus) {
    return iommu.translate("dev", bus, true) >= 0;
  }

  @Test
  void aWindowClosesThoughAnotherHoldsTwoRunsOfCoherentMemory() {
    final Windows windows = domain.windows();
    assertThat(windows.open("dev")).isEqualTo(IommuStatus.OK);
    assertThat(windows.coherent(0x3000, 0x1000)).isEqualTo(IommuStatus.OK);
    assertThat(windows.coherent(0x5000, 0x1000)).isEqualTo(IommuStatus.OK);
    windows.close("dev");
    windows.sweep(live -> live.add(8 * MIB, 100, 4096));
    assertThat(reaches(8 * MIB)).isTrue();
    assertThat(reaches(12 * MIB)).isFalse();
    assertThat(windows.mayClose()).as("that of the mapping").isTrue();
    windows.sweep(live -> {});
    assertThat(reaches(8 * MIB)).isFalse();
    assertThat(reaches(0x3000)).isTrue();
    assertThat(windows.mayClose()).isFalse();
  }

  @Test
  void allOfRamIsOpenUntilTheLastDeviceNeedsItNoMore() {
    final Windows windows = domain.windows();
    windows.open("dev");
    windows.open("other");
    windows.close("dev");
    windows.sweep(live -> {});
    assertThat(reaches(8 * MIB)).isTrue();
    windows.close("other");
    windows.sweep(live -> {});
    assertThat(reaches(8 * MIB)).isFalse();
  }

  @Test
  void aRangeThatAnExtentLivesInIsGivenBackWhenThePoolEnds() {
    final PoolLeases leases = domain.leases();
    for (final long bytes : new long[] {0x2000, 4 * MIB}) {
      final long before = domain.addresses().leasedBytes();
      final long iova = leases.lease(0, bytes, Long.MAX_VALUE);
      final ExtentState extent =
          Objects.requireNonNull(domain.extents().takeAt(iova, 0x2000, READ_WRITE));
      leases.giveBack(0, iova, bytes); // a strategy that goes away
      assertThat(domain.addresses().leasedBytes()).isGreaterThan(before);
      assertThat(domain.extents().dispose(extent)).isTrue();
      domain.end(leases);
      assertThat(domain.addresses().leasedBytes()).isEqualTo(before);
    }
  }

  @Test
  void aRangeThatAnExtentWasLostInIsNeverGivenBack() {
    final PoolLeases leases = domain.leases();
    final long iova = leases.lease(0, 4 * MIB, Long.MAX_VALUE);
    final ExtentState extent =
        Objects.requireNonNull(domain.extents().takeAt(iova + MIB, 0x2000, READ_WRITE));
    iommu.refuses = n -> true;
    assertThat(domain.extents().dispose(extent)).isFalse();
    iommu.refuses = n -> false;
    domain.end(leases);
    assertThat(domain.addresses().leasedBytes()).isEqualTo(4 * MIB);
    assertThat(domain.extents().leakedBytes()).isEqualTo(0x2000);
    assertThat(domain.extents().takeAt(iova + MIB, 0x1000, READ_WRITE)).isNull();
  }

  @Test
  void aMappingsRangeIsNotThePoolsToGiveBack() {
    final PoolLeases leases = domain.leases();
    final long iova = leases.lease(0, 4 * MIB, Long.MAX_VALUE);
    domain.handOver(iova, 4 * MIB);
    domain.addresses().giveBack(0, iova, 4 * MIB); // its unmap
    final long again = domain.leases().lease(0, 4 * MIB, Long.MAX_VALUE);
    assertThat(again).isEqualTo(iova);
    domain.end(leases);
    assertThat(domain.addresses().leasedBytes()).isEqualTo(4 * MIB);
  }
}
