package io.carom.guest.shim.kernel;

import static io.carom.iommu.VirtioIommuDescriptor.MAP_F_READ;
import static io.carom.iommu.VirtioIommuDescriptor.MAP_F_WRITE;
import static io.carom.iommu.VirtioIommuDescriptor.T_ATTACH;
import static io.carom.iommu.VirtioIommuDescriptor.T_DETACH;
import static io.carom.iommu.VirtioIommuDescriptor.T_MAP;
import static io.carom.iommu.VirtioIommuDescriptor.T_PROBE;
import static io.carom.iommu.VirtioIommuDescriptor.T_UNMAP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.shim.fake.FakeIommu;
import io.carom.iommu.GuestDomain;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuException;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The IOMMU's driver on a device that keeps the rules. */
class IommuTest {
  private static final String DISK = "0000:00:04.0";
  private static final int DISK_NUMBER = 4 << 3;
  private static final int RW = MAP_F_READ | MAP_F_WRITE;
  private static final long PAGE = 4096;
  private static final long IOVA = 0x10_0000;

  private final TestGuest test = new TestGuest();
  private final List<String> failures = new ArrayList<>();

  @AfterEach
  void close() {
    test.close();
  }

  private FakeIommu boot(final int queueSize) {
    test.bus.add("00:04.0", test.blk("disk0", 1, 16, 0));
    final FakeIommu iommu = test.iommu(queueSize);
    test.boot();
    return iommu;
  }

  private GuestDomain domain() throws IommuException {
    return test.driver()
        .createDomain(
            (iova, bytes, status) ->
                failures.add(
                    Long.toHexString(iova) + "+" + bytes + " " + IommuStatus.name(status)));
  }

  private static int mapPieces(final GuestDomain domain, final long iova, final int pieces) {
    final long[] addresses = new long[pieces];
    final long[] lengths = new long[pieces];
    for (int i = 0; i < pieces; i++) {
      addresses[i] = (100 + 2L * i) * PAGE; // not contiguous
      lengths[i] = PAGE * (1 + i % 2);
    }
    return domain.map(iova, addresses, lengths, pieces, RW);
  }

  @Test
  void iommuIsProbedBeforeTheDevicesThatItStandsBeforeAndLetGoAfterThem() {
    boot(64);
    final List<String> log = test.guest.dmesg();
    final int iommu = indexOf(log, "virtio_iommu virtio0: page mask");
    assertThat(iommu).isGreaterThan(0).isLessThan(indexOf(log, "virtio_blk virtio1"));
    final GuestIommu driver = test.driver();
    assertThat(driver.granule()).isEqualTo(PAGE);
    assertThat(driver.inputStart()).isZero();
    assertThat(driver.inputEnd()).isEqualTo((1L << 48) - 1);
    assertThat(driver.bypass()).isTrue();
    assertThat(driver.serves(DISK)).isTrue();
    assertThat(driver.serves("0000:00:09.0")).isFalse(); // itself
    assertThat(driver.serves("0000:00:05.0")).isFalse(); // nothing there
    assertThat(driver.serves("bench0")).isFalse();
    final List<Boolean> drivenAtClose = new ArrayList<>();
    test.dmaDevice().closing = () -> drivenAtClose.add(test.guest.iommus().current().isPresent());
    test.onWork(test.guest::dmaLeaves);
    assertThat(drivenAtClose).containsExactly(true);
    assertThat(test.guest.iommus().current()).isEmpty();
  }

  private static int indexOf(final List<String> log, final String text) {
    for (int i = 0; i < log.size(); i++) {
      if (log.get(i).contains(text)) {
        return i;
      }
    }
    return -1;
  }

  @ParameterizedTest
  @ValueSource(longs = {FakeIommu.FEATURES, FakeIommu.FEATURES & ~VirtioFeatures.INDIRECT_DESC})
  void listIsMappedWithOneKick(final long offered) throws IommuException {
    test.bus.add("00:04.0", test.blk("disk0", 1, 16, 0));
    final FakeIommu iommu = test.iommu(64);
    iommu.offered = offered;
    test.boot();
    final GuestDomain domain = domain();
    final IommuCounters before = test.driver().counters();
    assertThat(mapPieces(domain, IOVA, 7)).isEqualTo(IommuStatus.OK);
    IommuCounters after = test.driver().counters();
    assertThat(after.maps() - before.maps()).isEqualTo(7);
    assertThat(after.kicks() - before.kicks()).isEqualTo(1);
    assertThat(after.mappedPages()).isEqualTo(10);
    assertThat(iommu.kicks.get()).isEqualTo((int) after.kicks());
    final Map<Long, FakeIommu.Mapped> expected = new TreeMap<>();
    long at = IOVA;
    for (int i = 0; i < 7; i++) {
      final long bytes = PAGE * (1 + i % 2);
      expected.put(at, new FakeIommu.Mapped(at + bytes - 1, (100 + 2L * i) * PAGE, RW));
      at += bytes;
    }
    assertThat(iommu.mapped(domain.id())).isEqualTo(expected);
    assertThat(domain.unmap(IOVA, 10 * PAGE)).isEqualTo(IommuStatus.OK);
    after = test.driver().counters();
    assertThat(after.unmaps()).isEqualTo(1);
    assertThat(after.kicks() - before.kicks()).isEqualTo(2);
    assertThat(after.flushes()).isEqualTo(1);
    assertThat(after.mappedPages()).isZero();
    assertThat(after.peakPages()).isEqualTo(10);
    assertThat(iommu.mapped(domain.id())).isEmpty();
  }

  @Test
  void unbatchedDriverKicksForEachPieceAndOnceForUnmaps() throws IommuException {
    final FakeIommu iommu = boot(64);
    test.iommuBatched = false;
    assertThat(test.driver().batched()).isFalse();
    final GuestDomain domain = domain();
    int before = iommu.kicks.get();
    assertThat(mapPieces(domain, IOVA, 7)).isEqualTo(IommuStatus.OK);
    assertThat(iommu.kicks.get() - before).isEqualTo(7);
    assertThat(iommu.asked(T_MAP)).isEqualTo(7);
    before = iommu.kicks.get();
    domain.queueUnmap(IOVA, PAGE);
    domain.queueUnmap(IOVA + PAGE, 2 * PAGE);
    assertThat(iommu.kicks.get()).isEqualTo(before);
    domain.flush();
    assertThat(iommu.kicks.get() - before).isEqualTo(1);
    test.iommuBatched = true;
    before = iommu.kicks.get();
    assertThat(mapPieces(domain, 16 * IOVA, 7)).isEqualTo(IommuStatus.OK);
    assertThat(iommu.kicks.get() - before).isEqualTo(1);
  }

  @Test
  void queuedUnmapsGoOutWithTheNextKick() throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain domain = domain();
    assertThat(domain.map(IOVA, PAGE, PAGE, RW)).isEqualTo(IommuStatus.OK);
    domain.queueUnmap(IOVA, PAGE);
    assertThat(iommu.asked(T_UNMAP)).isZero();
    assertThat(iommu.mapped(domain.id())).hasSize(1);
    final int before = iommu.kicks.get();
    assertThat(domain.map(2 * IOVA, PAGE, PAGE, RW)).isEqualTo(IommuStatus.OK);
    assertThat(iommu.kicks.get() - before).isEqualTo(1);
    assertThat(iommu.mapped(domain.id())).containsOnlyKeys(2 * IOVA);
    assertThat(test.driver().counters().mappedPages()).isEqualTo(1);
    final long flushes = test.driver().counters().flushes();
    domain.flush(); // nothing is left: no kick, and no wait
    assertThat(iommu.kicks.get() - before).isEqualTo(1);
    assertThat(test.driver().counters().flushes()).isEqualTo(flushes);
    assertThat(failures).isEmpty();
  }

  @Test
  void queuedUnmapThatFailsIsToldToItsDomainOnly() throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain domain = domain();
    final List<Long> others = new ArrayList<>();
    final GuestDomain other = test.driver().createDomain((iova, bytes, status) -> others.add(iova));
    other.attach(DISK);
    domain.map(IOVA, PAGE, 2 * PAGE, RW); // noted: the host bridge is with the other one
    domain.attach(DISK);
    iommu.script = r -> r.type() == T_UNMAP ? IommuStatus.DEVERR : FakeIommu.HONEST;
    domain.queueUnmap(IOVA, 2 * PAGE);
    assertThat(failures).isEmpty();
    assertThat(other.map(IOVA, PAGE, PAGE, RW)).isEqualTo(IommuStatus.OK);
    domain.flush();
    assertThat(failures).containsExactly("100000+8192 DEVERR");
    assertThat(others).isEmpty();
    assertThat(test.driver().counters().failed()).isEqualTo(1);
    // a piece of a mapping cannot be unmapped
    iommu.script = r -> FakeIommu.HONEST;
    domain.map(4 * IOVA, PAGE, 2 * PAGE, RW);
    assertThat(domain.unmap(4 * IOVA, PAGE)).isEqualTo(IommuStatus.RANGE);
    domain.queueUnmap(4 * IOVA, PAGE);
    domain.flush();
    assertThat(failures).hasSize(2).last().isEqualTo("400000+4096 RANGE");
    assertThat(iommu.mapped(domain.id())).containsKey(4 * IOVA);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void piecesThatWereMappedAreUndoneWhenOneFails(final boolean batched) throws IommuException {
    final FakeIommu iommu = boot(64);
    test.iommuBatched = batched;
    final GuestDomain domain = domain();
    assertThat(domain.map(IOVA + PAGE, 50 * PAGE, 2 * PAGE, RW)).isEqualTo(IommuStatus.OK);
    // the second piece overlaps what is there, which must survive; the others come and go
    assertThat(mapPieces(domain, IOVA, 5)).isEqualTo(IommuStatus.INVAL);
    assertThat(iommu.mapped(domain.id())).containsOnlyKeys(IOVA + PAGE);
    assertThat(test.driver().counters().mappedPages()).isEqualTo(2);
    assertThat(failures).isEmpty();
    assertThat(domain.unmap(IOVA + PAGE, 2 * PAGE)).isEqualTo(IommuStatus.OK);
    assertThat(mapPieces(domain, IOVA, 5)).isEqualTo(IommuStatus.OK);
  }

  @Test
  void pieceThatCannotBeUndoneIsToldBeforeMapReturns() throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain domain = domain();
    iommu.script =
        r ->
            r.type() == T_UNMAP || (r.type() == T_MAP && r.start() == IOVA + PAGE)
                ? IommuStatus.NOMEM
                : FakeIommu.HONEST;
    assertThat(mapPieces(domain, IOVA, 2)).isEqualTo(IommuStatus.NOMEM);
    assertThat(failures).containsExactly("100000+4096 NOMEM");
    assertThat(test.driver().counters().mappedPages()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 200})
  void eachStatusOfEachRequestIsSeen(final int status) throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain domain = domain();
    assertThat(domain.map(IOVA, PAGE, PAGE, RW)).isEqualTo(IommuStatus.OK);
    iommu.script = r -> status;
    assertThat(domain.map(2 * IOVA, PAGE, PAGE, RW)).isEqualTo(status);
    assertThat(domain.unmap(IOVA, PAGE)).isEqualTo(status);
    domain.queueUnmap(IOVA, PAGE);
    domain.flush();
    assertThat(failures).containsExactly("100000+4096 " + IommuStatus.name(status));
    for (final var refused :
        List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
            () -> domain.attach(DISK),
            () -> domain.detach(DISK),
            () -> test.driver().reserved(DISK),
            this::domain)) {
      assertThatThrownBy(refused)
          .isInstanceOfSatisfying(
              IommuException.class, e -> assertThat(e.status()).isEqualTo(status));
    }
    assertThat(test.driver().counters().failed()).isEqualTo(7);
    assertThat(domain.alive()).isTrue();
  }

  @Test
  void fullRingIsSyncedAndUsedOn() throws IommuException {
    final FakeIommu iommu = boot(4);
    final GuestDomain domain = domain();
    final int before = iommu.kicks.get();
    assertThat(mapPieces(domain, IOVA, 10)).isEqualTo(IommuStatus.OK);
    assertThat(iommu.kicks.get() - before).isEqualTo(3); // 4 + 4 + 2
    assertThat(iommu.mapped(domain.id())).hasSize(10);
    for (int i = 0; i < 5; i++) {
      domain.queueUnmap(IOVA + 3L * i * PAGE, 3 * PAGE);
    }
    domain.flush();
    assertThat(iommu.mapped(domain.id())).isEmpty();
    assertThat(test.driver().counters().mappedPages()).isZero();
  }

  @Test
  void rangesThatAreNoneAreRefusedHere() throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain domain = domain();
    assertThat(domain.map(IOVA + 1, PAGE, PAGE, RW)).isEqualTo(IommuStatus.RANGE);
    assertThat(domain.map(IOVA, PAGE + 1, PAGE, RW)).isEqualTo(IommuStatus.RANGE);
    assertThat(domain.map(IOVA, PAGE, PAGE + 1, RW)).isEqualTo(IommuStatus.RANGE);
    assertThat(domain.map(IOVA, PAGE, 0, RW)).isEqualTo(IommuStatus.RANGE);
    assertThat(domain.map(IOVA, PAGE, -PAGE, RW)).isEqualTo(IommuStatus.RANGE);
    assertThat(domain.map(1L << 48, PAGE, PAGE, RW)).isEqualTo(IommuStatus.RANGE);
    assertThat(domain.map(-PAGE, PAGE, 2 * PAGE, RW)).isEqualTo(IommuStatus.RANGE);
    assertThat(domain.map(IOVA, PAGE, PAGE, 8)).isEqualTo(IommuStatus.INVAL);
    assertThat(domain.unmap(IOVA, 5)).isEqualTo(IommuStatus.RANGE);
    assertThat(iommu.asked(T_MAP) + iommu.asked(T_UNMAP)).isZero();
  }

  @Test
  void domainThatLostItsEndpointIsReplayedBeforeADeviceComes() throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain first = domain();
    assertThat(mapPieces(first, IOVA, 3)).isEqualTo(IommuStatus.OK);
    final Map<Long, FakeIommu.Mapped> mapped = iommu.mapped(first.id());
    final GuestDomain second = domain(); // takes the host bridge away
    assertThat(second.id()).isNotEqualTo(first.id());
    assertThat(iommu.mapped(first.id())).isEmpty();
    assertThat(test.driver().counters().mappedPages()).isZero();
    assertThat(first.map(IOVA + PAGE, PAGE, PAGE, RW)).isEqualTo(IommuStatus.INVAL);
    assertThat(first.map(8 * IOVA, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.OK);
    assertThat(first.unmap(IOVA + PAGE, PAGE)).isEqualTo(IommuStatus.RANGE);
    assertThat(first.unmap(IOVA, PAGE)).isEqualTo(IommuStatus.OK);
    iommu.requests.clear();
    first.attach(DISK);
    mapped.remove(IOVA);
    mapped.put(8 * IOVA, new FakeIommu.Mapped(8 * IOVA + PAGE - 1, PAGE, MAP_F_READ));
    assertThat(iommu.mapped(first.id())).isEqualTo(mapped);
    assertThat(iommu.domainOf(DISK_NUMBER)).isEqualTo(first.id());
    assertThat(test.driver().counters().mappedPages()).isEqualTo(4);
    // the device came last: there was nothing that it could have missed
    assertThat(iommu.requests.getLast().type()).isEqualTo(T_ATTACH);
    assertThat(iommu.requests.getLast().endpoint()).isEqualTo(DISK_NUMBER);
    final int asked = iommu.requests.size();
    first.attach(DISK); // it is: nothing is asked
    assertThat(iommu.requests).hasSize(asked);
    first.detach(DISK);
    assertThat(iommu.domainOf(DISK_NUMBER)).isEqualTo(-1);
    assertThat(iommu.mapped(first.id())).isEqualTo(mapped); // the host bridge is still there
  }

  @Test
  void replayThatFailsAttachesNothing() throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain first = domain();
    assertThat(mapPieces(first, IOVA, 3)).isEqualTo(IommuStatus.OK);
    domain();
    iommu.script =
        r -> r.type() == T_MAP && r.start() == IOVA + PAGE ? IommuStatus.NOMEM : FakeIommu.HONEST;
    assertThatThrownBy(() -> first.attach(DISK)).hasMessageContaining("NOMEM");
    assertThat(iommu.domainOf(DISK_NUMBER)).isEqualTo(-1);
    assertThat(test.driver().counters().mappedPages()).isZero();
    iommu.script = r -> FakeIommu.HONEST;
    first.attach(DISK);
    assertThat(iommu.mapped(first.id())).hasSize(3);
  }

  @Test
  void deviceThatWasPluggedAnewIsAttachedAnew() throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain domain = domain();
    domain.attach(DISK);
    domain.map(IOVA, PAGE, PAGE, RW);
    test.bus.surpriseRemove("00:04.0");
    test.await("the end", () -> !test.driver().serves(DISK));
    iommu.forget(DISK_NUMBER);
    test.bus.plug("00:04.0", test.blk("next", 1, 16, 0));
    test.await("the next", () -> test.driver().serves(DISK));
    domain.attach(DISK);
    assertThat(iommu.domainOf(DISK_NUMBER)).isEqualTo(domain.id());
    assertThat(iommu.mapped(domain.id())).hasSize(1);
  }

  @Test
  void numbersAreUsedAgainOnlyAfterClose() throws IommuException {
    test.bus.add("00:04.0", test.blk("disk0", 1, 16, 0));
    final FakeIommu iommu = test.iommu(64);
    iommu.config(VirtioIommuDescriptor.CONFIG_DOMAIN_START, 4, 0xffff_fffeL);
    iommu.config(VirtioIommuDescriptor.CONFIG_DOMAIN_END, 4, 0xffff_ffffL);
    test.boot();
    final GuestDomain one = domain();
    final GuestDomain two = domain();
    assertThat(List.of(one.id(), two.id())).containsExactly(-2, -1);
    assertThatThrownBy(this::domain).hasMessageContaining("NOMEM");
    one.attach(DISK);
    mapPieces(one, IOVA, 4);
    iommu.requests.clear();
    one.close();
    one.close();
    // first unmapped, then detached: what passes outside every domain reaches nothing of it
    assertThat(iommu.requests)
        .extracting(FakeIommu.Request::type)
        .containsExactly(T_UNMAP, T_DETACH);
    assertThat(test.driver().counters().mappedPages()).isZero();
    assertThat(one.map(IOVA, PAGE, PAGE, RW)).isEqualTo(IommuStatus.NOENT);
    assertThat(domain().id()).isEqualTo(-2);
  }

  @Test
  void numberOfADomainThatCouldNotBeClosedIsNotUsedAgain() throws IommuException {
    final FakeIommu iommu = boot(64);
    final GuestDomain one = domain();
    iommu.script = r -> r.type() == T_DETACH ? IommuStatus.DEVERR : FakeIommu.HONEST;
    one.close();
    iommu.script = r -> FakeIommu.HONEST;
    assertThat(domain().id()).isNotEqualTo(one.id());
  }

  @Test
  void reservedRangesAreAskedOnceAndHaveAPlaceForMessages() throws IommuException {
    final FakeIommu iommu = boot(64);
    assertThat(test.driver().reserved(DISK))
        .containsExactly(new ReservedRange(0x0800_0000L, 0x080f_ffffL, true));
    test.driver().reserved(DISK);
    assertThat(iommu.asked(T_PROBE)).isEqualTo(1);
    assertThat(iommu.requests.getLast().endpoint()).isEqualTo(DISK_NUMBER);
    assertThat(test.driver().counters().probes()).isEqualTo(1);
  }

  @Test
  void deviceWithoutOptionalFeaturesIsDriven() throws IommuException {
    test.bus.add("00:04.0", test.blk("disk0", 1, 16, 0));
    final FakeIommu iommu = test.iommu(64);
    iommu.offered = VirtioFeatures.VERSION_1 | VirtioIommuDescriptor.F_MAP_UNMAP;
    test.boot();
    final GuestIommu driver = test.driver();
    assertThat(driver.inputEnd()).isEqualTo(-1L);
    assertThat(driver.bypass()).isFalse();
    assertThat(driver.reserved(DISK)).hasSize(1);
    assertThat(iommu.asked(T_PROBE)).isZero();
    final GuestDomain domain = domain();
    assertThat(domain.id()).isZero();
    assertThat(domain.map(IOVA, PAGE, PAGE, VirtioIommuDescriptor.MAP_F_MMIO | RW))
        .isEqualTo(IommuStatus.INVAL);
    assertThat(domain.map(IOVA, PAGE, PAGE, RW)).isEqualTo(IommuStatus.OK);
    domain.close();
    assertThat(iommu.domains()).isZero();
  }

  @Test
  void deviceWithoutMapUnmapIsNotDriven() {
    final FakeIommu iommu = test.iommu(64);
    iommu.offered = FakeIommu.FEATURES & ~VirtioIommuDescriptor.F_MAP_UNMAP;
    test.boot();
    assertThat(test.guest.iommus().current()).isEmpty();
    assertThat(String.join("\n", test.guest.dmesg())).contains("MAP_UNMAP is not offered");
    assertThat(test.memory.pageMap().freePages()).isEqualTo(test.memory.pageMap().totalPages());
  }

  @Test
  void removalGivesEverythingBack() throws IommuException {
    boot(64);
    final GuestDomain domain = domain();
    final List<Boolean> heard = new ArrayList<>();
    final boolean[] alive = new boolean[1];
    test.guest
        .iommus()
        .listen(
            now -> {
              heard.add(now != null);
              alive[0] = domain.alive();
            });
    test.bus.askBack("00:09.0");
    test.await("the ejection", () -> test.bus.ejected == 1 << 9);
    assertThat(heard).containsExactly(true, false);
    assertThat(alive[0]).isTrue(); // when it was said that it goes
    assertThat(domain.alive()).isFalse();
    assertThat(domain.map(IOVA, PAGE, PAGE, RW)).isEqualTo(IommuStatus.DEVERR);
    domain.close();
    test.onWork(test.guest::dmaLeaves);
    assertThat(test.memory.pageMap().freePages()).isEqualTo(test.memory.pageMap().totalPages());
  }

  @Test
  void surpriseRemovalEndsDomainsAtOnce() throws IommuException {
    boot(64);
    final GuestDomain domain = domain();
    domain.map(IOVA, PAGE, PAGE, RW);
    domain.queueUnmap(IOVA, PAGE);
    final List<Boolean> aliveWhenTold = new ArrayList<>();
    test.guest.iommus().listen(now -> aliveWhenTold.add(now == null && domain.alive()));
    test.bus.surpriseRemove("00:09.0");
    test.await("the end", () -> test.guest.iommus().current().isEmpty());
    test.onWork(() -> {});
    assertThat(aliveWhenTold).containsExactly(false, false);
    assertThat(domain.unmap(IOVA, PAGE)).isEqualTo(IommuStatus.DEVERR);
    domain.flush();
    assertThat(failures).containsExactly("100000+4096 DEVERR");
    assertThatThrownBy(() -> domain.attach(DISK)).hasMessageContaining("DEVERR");
    test.iommu(64);
    test.onWork(
        () -> {
          test.guest.dmaLeaves();
          test.bus.restartBridge();
          test.guest.lookForBridge();
          test.guest.dmaArrived(test.dma);
        });
    assertThat(test.driver().counters().maps()).isZero(); // another one, and it works
    assertThat(domain().map(IOVA, PAGE, PAGE, RW)).isEqualTo(IommuStatus.OK);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void twoThreadsMapAtOnceAndEachSeesItsOwnStatus(final boolean batched)
      throws IommuException, InterruptedException {
    final long seed = Long.getLong("carom.seed", 9);
    final FakeIommu iommu = boot(16);
    test.iommuBatched = batched;
    iommu.script =
        r ->
            r.type() == T_MAP && (r.start() >>> 12) % 7 == 3 ? IommuStatus.NOMEM : FakeIommu.HONEST;
    final GuestDomain domain = domain();
    domain.attach(DISK);
    final List<String> wrong = Collections.synchronizedList(new ArrayList<>());
    final CountDownLatch go = new CountDownLatch(1);
    final List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 2; t++) {
      final long base = IOVA * 256 * (t + 1);
      final Random random = new Random(seed + t);
      threads.add(
          new Thread(
              () -> {
                try {
                  go.await();
                  churn(domain, base, random);
                } catch (final InterruptedException | AssertionError e) {
                  wrong.add(String.valueOf(e));
                }
              }));
    }
    threads.forEach(Thread::start);
    go.countDown();
    for (final Thread thread : threads) {
      thread.join();
    }
    assertThat(wrong).as("-Dcarom.seed=%d", seed).isEmpty();
    domain.flush();
    assertThat(failures).isEmpty();
    assertThat(iommu.mapped(domain.id())).isEmpty();
    final IommuCounters counters = test.driver().counters();
    assertThat(counters.mappedPages()).isZero();
    assertThat(counters.maps()).isEqualTo(iommu.asked(T_MAP));
    assertThat(counters.unmaps()).isEqualTo(iommu.asked(T_UNMAP));
    assertThat(counters.kicks()).isEqualTo(iommu.kicks.get());
  }

  private static void churn(final GuestDomain domain, final long base, final Random random) {
    for (int i = 0; i < 2_000; i++) {
      final int pages = 1 + random.nextInt(20);
      final long iova = base + 32L * i * PAGE;
      final long[] addresses = new long[pages];
      final long[] lengths = new long[pages];
      int expected = IommuStatus.OK;
      for (int p = 0; p < pages; p++) {
        addresses[p] = PAGE * random.nextInt(1000);
        lengths[p] = PAGE;
        if (((iova >>> 12) + p) % 7 == 3) {
          expected = IommuStatus.NOMEM;
        }
      }
      final int status = domain.map(iova, addresses, lengths, pages, RW);
      if (status != expected) {
        throw new AssertionError("0x" + Long.toHexString(iova) + ": " + status);
      }
      if (status == IommuStatus.OK && random.nextBoolean()) {
        domain.queueUnmap(iova, pages * PAGE);
      } else if (status == IommuStatus.OK && domain.unmap(iova, pages * PAGE) != IommuStatus.OK) {
        throw new AssertionError("unmap of 0x" + Long.toHexString(iova));
      }
    }
  }
}
