package io.carom.guest.shim.kernel;

import static io.carom.iommu.VirtioIommuDescriptor.FAULT_DOMAIN;
import static io.carom.iommu.VirtioIommuDescriptor.FAULT_F_ADDRESS;
import static io.carom.iommu.VirtioIommuDescriptor.FAULT_F_READ;
import static io.carom.iommu.VirtioIommuDescriptor.FAULT_F_WRITE;
import static io.carom.iommu.VirtioIommuDescriptor.FAULT_MAPPING;
import static io.carom.iommu.VirtioIommuDescriptor.MAP_F_READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.shim.fake.FakeIommu;
import io.carom.guest.shim.fake.FakeIommu.Conduct;
import io.carom.iommu.GuestDomain;
import io.carom.iommu.IommuException;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An IOMMU that breaks the rules, breaks down, or talks too much. */
class HostileIommuTest {
  private static final long PAGE = 4096;
  private static final long IOVA = 0x10_0000;

  private final TestGuest test = new TestGuest();
  private final FakeIommu iommu = test.iommu(8);
  private final List<String> failures = new ArrayList<>();

  @AfterEach
  void close() {
    test.close();
  }

  private GuestDomain domain() throws IommuException {
    test.boot();
    return test.driver()
        .createDomain(
            (iova, bytes, status) ->
                failures.add(Long.toHexString(iova) + " " + IommuStatus.name(status)));
  }

  private long lines(final String text) {
    return test.guest.dmesg().stream().filter(line -> line.contains(text)).count();
  }

  @ParameterizedTest
  @EnumSource(
      value = Conduct.class,
      names = {"SHORT", "NO_STATUS"})
  void answerWithoutTailIsAnErrorAndNotTheEnd(final Conduct conduct) throws IommuException {
    final GuestDomain domain = domain();
    iommu.conduct = conduct;
    assertThat(domain.map(IOVA, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.IOERR);
    domain.queueUnmap(8 * IOVA, PAGE);
    domain.flush();
    assertThat(failures).containsExactly("800000 IOERR");
    assertThatThrownBy(() -> test.driver().reserved("0000:00:04.0")).hasMessageContaining("IOERR");
    iommu.conduct = Conduct.HONEST;
    assertThat(domain.alive()).isTrue();
    assertThat(domain.map(16 * IOVA, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.OK);
  }

  @ParameterizedTest
  @EnumSource(
      value = Conduct.class,
      names = {"LENGTH_TOO_LONG", "ID_OUT_OF_RANGE", "ID_REPEATED", "INDEX_JUMP"})
  void brokenRingIsTheEnd(final Conduct conduct) throws IommuException {
    final GuestDomain domain = domain();
    domain.map(IOVA, PAGE, PAGE, MAP_F_READ);
    domain.queueUnmap(IOVA, PAGE);
    iommu.conduct = conduct;
    assertThat(domain.map(2 * IOVA, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.DEVERR);
    assertDead(domain);
  }

  @Test
  void silentDeviceIsDeadAtTheDeadlineAndHoldsNobodyAfterwards() throws IommuException {
    final GuestDomain domain = domain();
    domain.map(IOVA, PAGE, PAGE, MAP_F_READ);
    domain.queueUnmap(IOVA, PAGE);
    iommu.conduct = Conduct.SILENT;
    final Thread time =
        new Thread(
            () -> {
              while (domain.alive()) {
                test.ahead.addAndGet(1_000_000_000L);
                Thread.onSpinWait();
              }
            });
    time.start();
    assertThat(domain.map(2 * IOVA, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.DEVERR);
    assertDead(domain);
    test.await("the line", () -> lines("no answer within 20000 ms") == 1);
  }

  private void assertDead(final GuestDomain domain) {
    assertThat(domain.alive()).isFalse();
    final int asked = iommu.requests.size();
    assertThat(domain.map(4 * IOVA, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.DEVERR);
    assertThat(domain.unmap(4 * IOVA, PAGE)).isEqualTo(IommuStatus.DEVERR);
    assertThatThrownBy(() -> domain.attach("0000:00:04.0")).hasMessageContaining("DEVERR");
    assertThatThrownBy(() -> test.driver().createDomain((i, b, s) -> {}))
        .hasMessageContaining("DEVERR");
    domain.queueUnmap(8 * IOVA, PAGE);
    domain.flush();
    assertThat(iommu.requests).hasSize(asked);
    // the map that nobody answered may be done all the same
    assertThat(failures)
        .containsSubsequence("200000 DEVERR", "800000 DEVERR")
        .allMatch(text -> text.endsWith(" DEVERR"));
    domain.close();
    iommu.conduct = Conduct.HONEST;
    test.onWork(test.guest::dmaLeaves);
    assertThat(test.memory.pageMap().freePages()).isEqualTo(test.memory.pageMap().totalPages());
  }

  @Test
  void deviceThatAsksForAResetIsDead() throws IommuException {
    final GuestDomain domain = domain();
    iommu.needsReset();
    test.await("the end", () -> !domain.alive());
    assertThat(domain.map(IOVA, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.DEVERR);
    test.await("the line", () -> lines("device needs reset") == 1);
  }

  @Test
  void answerThatComesLateIsWaitedFor() throws IommuException {
    final GuestDomain domain = domain();
    iommu.conduct = Conduct.LATE;
    for (int i = 0; i < 200; i++) {
      assertThat(domain.map(IOVA + i * PAGE, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.OK);
    }
    assertThat(iommu.mapped(domain.id())).hasSize(200);
  }

  @Test
  void faultsArePrintedAsTheKernelPrintsThem() throws IommuException {
    domain();
    final int rw = FAULT_F_READ | FAULT_F_WRITE;
    assertThat(iommu.fault(FAULT_MAPPING, FAULT_F_READ | FAULT_F_ADDRESS, 32, 0xdead000L)).isTrue();
    assertThat(iommu.fault(FAULT_DOMAIN, rw | FAULT_F_ADDRESS, 40, -1L)).isTrue();
    assertThat(iommu.fault(77, FAULT_F_WRITE, -1, 5)).isTrue();
    final String start = "virtio_iommu virtio0: ";
    test.await("the last", () -> lines(start + "unknown fault from EP 4294967295 [W]") == 1);
    assertThat(lines(start + "page fault from EP 32 at 0xdead000 [R]")).isEqualTo(1);
    assertThat(lines(start + "domain fault from EP 40 at 0xffffffffffffffff [RW]")).isEqualTo(1);
  }

  @Test
  void eventsThatPourAreCountedAndFewArePrinted() throws IommuException {
    final GuestDomain domain = domain();
    final AtomicInteger sent = new AtomicInteger();
    final long start = System.nanoTime();
    test.await(
        "1000 events",
        () -> {
          if (iommu.fault(FAULT_MAPPING, FAULT_F_ADDRESS, 32, sent.get())) {
            sent.incrementAndGet();
          }
          return sent.get() == 1000;
        });
    // each of the 8 buffers came back many times; ten lines in five seconds are printed
    final long intervals = 1 + (System.nanoTime() - start) / 5_000_000_000L;
    assertThat(lines("page fault")).isBetween(10L, 10 * intervals);
    test.ahead.addAndGet(6_000_000_000L);
    test.await(
        "the next line",
        () -> {
          iommu.fault(FAULT_MAPPING, FAULT_F_ADDRESS, 32, 0xabcdef);
          return lines("at 0xabcdef") > 0;
        });
    assertThat(lines("callbacks suppressed")).isPositive();
    assertThat(domain.map(IOVA, PAGE, PAGE, MAP_F_READ)).isEqualTo(IommuStatus.OK);
  }

  @Test
  void eventOfAnotherLengthIsNoFault() throws IommuException {
    domain();
    iommu.event(new byte[VirtioIommuDescriptor.EVENT_SIZE], 7, 0);
    test.await("the line", () -> lines("invalid event buffer (len 7 != 24)") == 1);
    assertThat(lines("fault from EP")).isZero();
  }

  @Test
  void eventWithAnIdThatIsNoneIsTheEnd() throws IommuException {
    final GuestDomain domain = domain();
    iommu.event(new byte[VirtioIommuDescriptor.EVENT_SIZE], VirtioIommuDescriptor.EVENT_SIZE, 8);
    test.await("the end", () -> !domain.alive());
    test.await("the line", () -> lines("event queue: id 8 out of range") == 1);
  }

  @Test
  void configurationThatIsNonsenseIsRefusedWithItsValue() {
    final long seed = Long.getLong("carom.seed", 5);
    iommu.config(VirtioIommuDescriptor.CONFIG_PAGE_SIZE_MASK, 8, 0);
    test.boot();
    assertThat(test.guest.iommus().current()).isEmpty();
    assertThat(lines("page_size_mask is 0")).isPositive();
    final Random random = new Random(seed);
    for (int i = 0; i < 50; i++) {
      for (int at = 0; at < VirtioIommuDescriptor.CONFIG_SIZE; at += 4) {
        iommu.config(at, 4, random.nextInt());
      }
      test.guest.rebind("00:09.0");
      final boolean driven = test.guest.iommus().current().isPresent();
      test.guest
          .iommus()
          .current()
          .ifPresent(
              driver ->
                  assertThat(Long.compareUnsigned(driver.inputStart(), driver.inputEnd()))
                      .as("-Dcarom.seed=%d", seed)
                      .isNotPositive());
      assertThat(driven || lines("probe failed") > 0).as("-Dcarom.seed=%d", seed).isTrue();
    }
    test.onWork(test.guest::dmaLeaves);
    assertThat(test.memory.pageMap().freePages())
        .as("-Dcarom.seed=%d", seed)
        .isEqualTo(test.memory.pageMap().totalPages());
  }
}
