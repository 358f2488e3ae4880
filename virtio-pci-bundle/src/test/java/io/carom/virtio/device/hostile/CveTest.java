package io.carom.virtio.device.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.pci.BusAccess;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.model.ModelDevice;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.PackedRing;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.SplitRing;
import io.carom.virtio.testkit.TestBus;
import io.carom.virtio.testkit.TestDriver;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.Used;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Known holes of other devices that are no single bad input; the others are rows of the tables. */
class CveTest {
  static Stream<RingLayout> layouts() {
    return Rig.layouts();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void h29cve2026x45782HeadInFlightAgain(final RingLayout layout) {
    final Rig rig = Rig.started(layout, 0);
    rig.header(BlkDescriptor.T_IN, 0);
    switch (rig.ring()) {
      case SplitRing ring -> {
        // the same head twice, published at once: neither was returned when the second is looked at
        final int head = ring.place(Rig.goodRead());
        ring.placeHead(head);
        ring.publish();
      }
      case PackedRing ring -> {
        final int id = ring.place(Rig.goodRead());
        final int at = ring.position();
        for (int i = 0; i < 3; i++) {
          final Element element = Rig.goodRead()[i];
          ring.desc(
              at + i,
              element.address(),
              element.length(),
              id,
              element.flags() | (i < 2 ? Element.NEXT : 0) | ring.available());
        }
        ring.publish();
      }
    }
    rig.driver.run();
    rig.assertBroken();
    assertThat(rig.function.info().lastError()).contains("in flight");
    // the first was legal, and is complete
    rig.assertOneAnswered();
    rig.assertNeighbourServes();
    rig.assertSticky();
    rig.assertResetMends();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void h14cve2016x5403EndlessSubmitsCostNoMoreThanTheRing(final RingLayout layout) {
    // without ever looking at the used ring: memory is bounded by the ring, whatever is submitted
    final Rig rig = Rig.started(layout, 0);
    for (int round = 0; round < 40; round++) {
      for (int i = 0; i < Rig.SIZE / 4; i++) {
        rig.header(BlkDescriptor.T_FLUSH, 0);
        rig.ring().place(Rig.headerElement(), Rig.statusElement());
      }
      rig.ring().publish();
      rig.driver.run();
      assertThat(rig.driver.needsReset()).isFalse();
      int returned = 0;
      while (rig.take() != null) {
        returned++;
      }
      assertThat(returned).isEqualTo(Rig.SIZE / 4);
    }
    if (rig.ring() instanceof final SplitRing ring) {
      // more available than the ring has entries
      ring.availIndex(ring.availIndex() + Rig.SIZE + 1);
      rig.driver.run();
      rig.assertBroken();
      rig.assertResetMends();
    }
    rig.assertServes();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void cve2020x16843QueueOfEventsDoesNotFreezeWithoutBuffers(final RingLayout layout) {
    final EchoModel model = new EchoModel();
    final TestBus bus = new TestBus(0);
    final VirtioPciFunction function =
        new VirtioFunctionBuilder("echo0", new ModelDevice(model, "bundle test"))
            .workers(WorkerOptions.manual())
            .errors(Disks.quiet())
            .build();
    final TestDriver driver = new TestDriver(function, bus, function::processNow);
    final TestRing events = layout.open(bus.memory(), EchoModel.QUEUE_SIZE, 0x20000);
    driver.start(
        layout.features(), layout.open(bus.memory(), EchoModel.QUEUE_SIZE, 0x10000), events);
    final byte[] event = {1, 2, 3, 4};
    for (int round = 0; round < 1000; round++) {
      assertThat(model.context().send(EchoModel.EVENTS, event)).isFalse();
      final int id = events.add(Element.writable(0x40000, 16));
      driver.kick(EchoModel.EVENTS);
      driver.work();
      assertThat(model.context().send(EchoModel.EVENTS, event)).isTrue();
      assertThat(events.take()).isEqualTo(new Used(id, 4));
      assertThat(bus.memory().bytes(0x40000, 4)).isEqualTo(event);
    }
    assertThat(driver.needsReset()).isFalse();
    function.unplugged();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void cve2021x3748ReturnedElementIsNotTouchedAgain(final RingLayout layout) {
    // when the used entry is written the buffers are the driver's: nothing is resolved after that
    final Rig rig = Rig.started(layout, 0);
    final AtomicLong late = new AtomicLong();
    rig.header(BlkDescriptor.T_IN, 3);
    rig.ring().add(Rig.goodRead());
    rig.bus.onRaise(
        () ->
            rig.bus.watch(
                (number, address, length, access) -> {
                  if (address >= Rig.HEADER) {
                    late.incrementAndGet();
                  }
                }));
    rig.driver.run();
    rig.assertAnswer(BlkDescriptor.S_OK, 513);
    rig.memory.fill(Rig.DATA, 0x1000, Rig.MARK);
    rig.driver.run();
    assertThat(late).hasValue(0);
    assertThat(rig.memory.bytes(Rig.DATA, 0x1000)).containsOnly(Rig.MARK);
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void r4ReadableBuffersAndTablesAreNeverResolvedForWriting(final RingLayout layout) {
    final Rig rig = Rig.started(layout, VirtioFeatures.INDIRECT_DESC);
    final AtomicLong wrong = new AtomicLong();
    rig.bus.watch(
        (number, address, length, access) -> {
          final boolean readOnly =
              address == Rig.HEADER || address == Rig.TABLE || address == Rig.DATA + 0x1000;
          if (readOnly && access == BusAccess.WRITE) {
            wrong.incrementAndGet();
          }
        });
    rig.header(BlkDescriptor.T_OUT, 1);
    rig.memory.put(Rig.DATA + 0x1000, Rig.sectorBytes(1));
    rig.ring()
        .add(
            rig.ring()
                .indirect(
                    Rig.TABLE,
                    Rig.headerElement(),
                    Element.readable(Rig.DATA + 0x1000, Rig.SECTOR),
                    Rig.statusElement()));
    rig.driver.run();
    rig.assertAnswer(BlkDescriptor.S_OK, 1);
    assertThat(wrong).hasValue(0);
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void cve2018x1059RunAcrossMemoryIsNotReachableAsAWhole(final RingLayout layout) {
    // behind an IOMMU the pages of a buffer lie apart: each byte lands in the page it belongs to
    final Rig rig = Rig.started(layout, 0);
    final long first = Rig.DATA / 4096;
    rig.bus.pages(page -> page == first + 1 ? first + 40 : page == first + 40 ? first + 1 : page);
    rig.memory.fill(Rig.DATA, 3 * 4096, Rig.MARK);
    rig.memory.fill(Rig.DATA + 40 * 4096, 4096, Rig.MARK);
    rig.header(BlkDescriptor.T_IN, 0);
    final long start = Rig.DATA + 4096 - 256;
    rig.ring().add(Rig.headerElement(), Element.writable(start, Rig.SECTOR), Rig.statusElement());
    rig.driver.run();
    rig.assertAnswer(BlkDescriptor.S_OK, 513);
    final byte[] sector = Rig.sectorBytes(0);
    assertThat(rig.memory.bytes(start, 256)).isEqualTo(Arrays.copyOf(sector, 256));
    assertThat(rig.memory.bytes(Rig.DATA + 40 * 4096, 256))
        .isEqualTo(Arrays.copyOfRange(sector, 256, 512));
    assertThat(rig.memory.bytes(Rig.DATA + 4096, 4096)).containsOnly(Rig.MARK);
    rig.bus.pages(page -> page);
    rig.assertResetMends();
    rig.close();
  }
}
