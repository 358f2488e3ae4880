package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.Negotiation;
import io.carom.dma.PoolInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.MisbehavingStrategy.Act;
import io.carom.dma.core.MisbehavingStrategy.Answer;
import io.carom.dma.core.MisbehavingStrategy.Entry;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.spi.Extent;
import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The table of what a strategy can do wrong: each of it is contained, the device gets another one,
 * what is in doubt is set aside and comes back, and no byte of any other mapping is wrong.
 */
class MisconductTest {
  private static final int LIMIT = 3;
  private static final int SIZE = 4096;
  private static final int SETS = 8;
  private static final long WATCHDOG_MS =
      500; // the fallback too has to open within it, on a busy machine

  private final CoreKit kit =
      new CoreKit(
          TestGuest.plain(),
          new Settings("bad", true, 500, SwapPolicy.ADOPT, WATCHDOG_MS)
              .withMisbehaviourLimit(LIMIT));
  private final MisbehavingStrategy bad = new MisbehavingStrategy(2);
  private final List<Live> lives = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final List<MemorySegment> regions = new ArrayList<>();
  private long spare;
  private DmaDevice dev;
  private DmaDevice other;
  private MisbehavingStrategy.Instance instance;

  /** A mapping whose device has written. */
  private record Live(DmaDevice device, long bus, long buffer, int pattern) {}

  @BeforeEach
  void begin() {
    kit.add("good", new SlotStrategy(1 << 20, 2), 1);
    kit.add("bad", bad, 2);
    dev = device("dev", -1);
    other = device("other", -1);
    assertThat(kit.info(dev).strategy()).isEqualTo("bad");
    instance = bad.instances.getFirst();
    spare = kit.guest.buffer(SIZE, 0);
    for (int i = 0; i < 6; i++) {
      lives.add(map(dev, i));
      lives.add(map(other, i + 50));
    }
  }

  @AfterEach
  void end() throws InterruptedException {
    bad.hang.countDown();
    for (final Thread thread : threads) {
      thread.join(10_000);
      assertThat(thread.isAlive()).isFalse();
    }
    kit.close();
  }

  private DmaDevice device(final String name, final long boundary) {
    final MemorySegment memory = LazyMemory.allocate((long) (SETS + 1) << Extent.SET_SHIFT);
    regions.add(memory);
    final DmaDeviceSpec spec =
        DmaDeviceSpec.of(
            name,
            new DmaDeviceSpec.Region(
                CoreKit.REGION + ((long) (regions.size() - 1) << 30), memory, Extent.SET_SIZE));
    return kit.device(
        boundary < 0 ? spec : spec.withBoundaryMask(boundary), new Negotiation(true, true));
  }

  private MemorySegment memory(final long bus, final int size) {
    final int region = (int) ((bus - CoreKit.REGION) >> 30);
    return regions.get(region).asSlice((bus - CoreKit.REGION) & ((1 << 30) - 1), size);
  }

  private Live map(final DmaDevice device, final int pattern) {
    final long buffer = kit.guest.buffer(SIZE, 0);
    final long bus = device.map(buffer, SIZE, DmaDirection.BIDIRECTIONAL, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    memory(bus, SIZE).fill((byte) (pattern + 1));
    return new Live(device, bus, buffer, pattern + 1);
  }

  private boolean tryMap() {
    final long bus = dev.map(spare, SIZE, DmaDirection.TO_DEVICE, 0);
    if (bus != DmaDevice.MAPPING_ERROR) {
      dev.unmap(bus, SIZE, DmaDirection.TO_DEVICE, 0);
    }
    return bus != DmaDevice.MAPPING_ERROR;
  }

  private void inThread(final Runnable work) {
    threads.add(Thread.ofPlatform().daemon().start(work));
  }

  /** Ends what lives, and looks at every byte. */
  private void assertBytes() {
    for (final Live live : lives) {
      live.device.unmap(live.bus, SIZE, DmaDirection.BIDIRECTIONAL, 0);
      final MemorySegment bytes = kit.guest.segment(live.buffer, SIZE);
      assertThat(bytes.mismatch(MemorySegment.ofArray(filled(live.pattern)))).isEqualTo(-1);
    }
    lives.clear();
  }

  private static byte[] filled(final int pattern) {
    final byte[] bytes = new byte[SIZE];
    java.util.Arrays.fill(bytes, (byte) pattern);
    return bytes;
  }

  private long slots(final String strategy, final String device) {
    return kit.core.pools().stream()
        .filter(p -> p.strategy().equals(strategy) && device.equals(p.device()))
        .mapToLong(PoolInfo::io_tlb_nslabs)
        .sum();
  }

  private void await(final BooleanSupplier condition, final String what) {
    CoreKit.await(condition, what);
  }

  /** The device was swapped as its strategy misbehaved; the other one was not. */
  private void assertReplaced(final String note) {
    await(() -> "good".equals(kit.info(dev).strategy()), "the fallback is there");
    await(
        () -> kit.core.history().stream().anyMatch(r -> r.cause().equals("misbehaved")),
        "it is reported");
    final SwapReport report =
        kit.core.history().stream().filter(r -> r.cause().equals("misbehaved")).findFirst().get();
    assertThat(report.device()).isEqualTo("dev");
    assertThat(report.from()).isEqualTo("bad");
    assertThat(report.to()).isEqualTo("good");
    assertThat(report.note()).contains(note);
    assertThat(kit.core.history()).filteredOn(r -> r.device().equals("other")).hasSize(1);
    assertThat(kit.info(other).strategy()).isEqualTo("bad");
  }

  /** All memory is the fallback's in the end, and works. */
  private void assertAllComesBack() {
    try {
      await(() -> slots("good", "dev") == SETS * 128L, "all sets came back");
    } catch (final AssertionError e) {
      throw new AssertionError(kit.core.pools() + ", " + kit.core.quarantined(), e);
    }
    assertThat(kit.core.quarantined()).isEmpty();
    assertThat(dev.liveMappings()).isZero();
    assertThat(other.liveMappings()).isZero();
    for (int i = 0; i < 6; i++) {
      lives.add(map(dev, i + 100));
      lives.add(map(other, i + 110));
    }
    assertBytes();
    assertThat(kit.info(dev).strategy()).isEqualTo("good");
  }

  static Stream<Arguments> thrown() {
    return Stream.of(Entry.ALLOCATE, Entry.RELEASE, Entry.TICK, Entry.PLAN)
        .flatMap(
            entry -> Stream.of(Act.THROW, Act.LINKAGE_ERROR).map(act -> Arguments.of(entry, act)));
  }

  @ParameterizedTest
  @MethodSource("thrown")
  @DisplayName("throws while it is in use: borne up to the limit, then replaced")
  void throwsInUse(final Entry entry, final Act act) {
    final List<Live> ending = new ArrayList<>();
    for (int i = 0; i < LIMIT; i++) {
      ending.add(map(dev, i + 20));
    }
    bad.misbehave("dev", entry, act);
    if (entry == Entry.ALLOCATE) {
      tryMap();
      await(this::tryMap, "replaced"); // each stripe that is asked throws
    }
    if (entry == Entry.RELEASE) {
      ending.forEach(live -> dev.unmap(live.bus, SIZE, DmaDirection.BIDIRECTIONAL, 0));
    } else {
      lives.addAll(ending);
    }
    assertReplaced(act == Act.THROW ? "asked to throw at " + entry : "asked to at " + entry);
    final int calls = instance.calls.get();
    assertBytes();
    assertThat(instance.calls.get()).as("it is not called again").isEqualTo(calls);
    assertAllComesBack();
  }

  @ParameterizedTest
  @EnumSource(
      value = Entry.class,
      names = {"ALLOCATE", "RELEASE", "TICK"})
  @DisplayName(
      "hangs while it is in use: named with its stack, replaced, set aside until it returns")
  void hangsInUse(final Entry entry) {
    final Live ending = map(dev, 20);
    bad.misbehave("dev", entry, Act.HANG);
    if (entry == Entry.ALLOCATE) {
      inThread(this::tryMap);
    } else if (entry == Entry.RELEASE) {
      inThread(() -> dev.unmap(ending.bus, SIZE, DmaDirection.BIDIRECTIONAL, 0));
    }
    if (entry != Entry.RELEASE) {
      lives.add(ending);
    }
    await(() -> bad.hanging.get() > 0, "it hangs");
    assertReplaced("did not return");
    assertThat(kit.core.history().stream().filter(r -> r.note() != null).findFirst().get().note())
        .contains("thread ")
        .contains("MisbehavingStrategy.at(");
    assertBytes();
    lives.add(map(dev, 70));
    assertThat(kit.core.quarantined()).isNotEmpty();
    assertThat(kit.core.quarantined().getFirst().pool()).isEqualTo("bad@dev");
    assertThat(kit.core.quarantined().getFirst().reason()).contains("did not return");
    assertThat(slots("good", "dev")).isLessThan(SETS * 128L);
    bad.behave();
    bad.hang.countDown();
    assertBytes();
    assertAllComesBack();
  }

  static Stream<Arguments> beside() {
    return Stream.of(Entry.OPEN, Entry.PLAN, Entry.MAX_MAPPING_SIZE)
        .flatMap(entry -> Stream.of(Act.values()).map(act -> Arguments.of(entry, act)));
  }

  @ParameterizedTest
  @MethodSource("beside")
  @DisplayName("does not get ready: the swap fails in bounded time and changes nothing")
  void doesNotGetReady(final Entry entry, final Act act) {
    kit.use(dev, "good");
    bad.misbehave("dev", entry, act);
    final long start = System.nanoTime();
    assertThatThrownBy(() -> kit.use(dev, "bad"))
        .hasStackTraceContaining("strategy bad is not ready");
    assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(10));
    assertThat(kit.info(dev).strategy()).isEqualTo("good");
    bad.behave();
    bad.hang.countDown();
    lives.add(map(dev, 30));
    assertBytes();
    kit.use(dev, "bad");
    assertThat(kit.info(dev).strategy()).isEqualTo("bad");
  }

  @ParameterizedTest
  @EnumSource(Act.class)
  @DisplayName("the configured one does not open: the fallback takes its place")
  void configuredOneDoesNotOpen(final Act act) {
    bad.misbehave("third", Entry.OPEN, act);
    final DmaDevice third = device("third", -1);
    await(() -> "good".equals(kit.info(third).strategy()), "the fallback is there");
    assertThat(kit.info(other).strategy()).isEqualTo("bad");
    assertBytes();
  }

  @ParameterizedTest
  @EnumSource(Act.class)
  @DisplayName("does wrong when it is granted extents: replaced")
  void grantGoesWrong(final Act act) {
    kit.use(dev, "good");
    bad.misbehave("dev", Entry.GRANT, act);
    String failure = "";
    try {
      kit.use(dev, "bad");
    } catch (final AssertionError e) { // it hung before anything was published
      failure = String.valueOf(e.getMessage());
    }
    if (failure.isEmpty()) {
      assertReplacedOnce(act == Act.HANG ? "did not return" : "at GRANT");
    } else {
      assertThat(failure).contains("strategy bad is not ready");
    }
    await(() -> "good".equals(kit.info(dev).strategy()), "the fallback is there");
    if (act == Act.HANG) {
      assertThat(kit.core.quarantined()).as("the extent on its way").isNotEmpty();
    }
    bad.behave();
    bad.hang.countDown();
    assertBytes();
    assertAllComesBack();
  }

  @ParameterizedTest
  @EnumSource(Act.class)
  @DisplayName(
      "does wrong when extents are taken back, or it is closed: the swap ends all the same")
  void retractGoesWrong(final Act act) {
    bad.misbehave("dev", Entry.RETRACT, act);
    kit.use(dev, "good");
    assertThat(kit.info(dev).strategy()).isEqualTo("good");
    assertBytes();
    bad.hang.countDown();
    assertAllComesBack();
  }

  @ParameterizedTest
  @EnumSource(Act.class)
  void closeGoesWrong(final Act act) {
    bad.misbehave("dev", Entry.CLOSE, act);
    assertBytes();
    kit.use(dev, "good");
    assertAllComesBack();
  }

  static Stream<Arguments> wrongAnswers() {
    final Answer outside = (i, r, a) -> a.bounce(0x123_0000, 0x123_0000, Extent.SLOT_SIZE * 2);
    final Answer reserve = (i, r, a) -> a.bounce(CoreKit.REGION, CoreKit.REGION, SIZE);
    final Answer others =
        (i, r, a) -> {
          final long bus = CoreKit.REGION + (1L << 30) + Extent.SET_SIZE;
          a.bounce(bus, bus, SIZE);
        };
    final Answer occupied = (i, r, a) -> a.bounce(i.lastRun, i.lastRun, SIZE);
    final Answer half =
        (i, r, a) -> a.bounce(i.lastRun - Extent.SLOT_SIZE, i.lastRun - Extent.SLOT_SIZE, SIZE);
    final Answer misaligned =
        (i, r, a) -> {
          final long bus = i.home().end() - 65_536 + 512;
          a.bounce(bus, bus, SIZE);
        };
    final Answer straddling =
        (i, r, a) -> {
          final long bus = i.home().end() - Extent.SLOT_SIZE;
          a.bounce(bus, bus, SIZE);
        };
    final Answer beside =
        (i, r, a) -> {
          final long run = i.home().end() - 65_536;
          a.bounce(run + SIZE, run, SIZE);
        };
    final Answer tooShort =
        (i, r, a) -> {
          final long run = i.home().end() - 65_536;
          a.bounce(run, run, Extent.SLOT_SIZE);
        };
    final Answer huge = (i, r, a) -> a.bounce(Long.MAX_VALUE - 4, Long.MAX_VALUE - 4, SIZE);
    final Answer negative = (i, r, a) -> a.bounce(-4096, -4096, SIZE);
    return Stream.of(
        Arguments.of("outside all memory", outside, "in no extent"),
        Arguments.of("in the region's reserve", reserve, "in no extent"),
        Arguments.of("in another pool's extent", others, "in no extent"),
        Arguments.of("beyond all addresses", huge, "in no extent"),
        Arguments.of("negative", negative, "in no extent"),
        Arguments.of("where another mapping is", occupied, "in use"),
        Arguments.of("half where another mapping is", half, ""),
        Arguments.of("not at a slot", misaligned, "not whole slots"),
        Arguments.of("over an extent's end", straddling, "not whole slots"),
        Arguments.of("behind its own run", beside, "not whole slots"),
        Arguments.of("in a run that is too short", tooShort, "not whole slots"),
        Arguments.of("where it is", (Answer) (i, r, a) -> a.pass(), "cannot reach"),
        Arguments.of(
            "at an address of no domain",
            (Answer) (i, r, a) -> a.remap(1 << 20, false),
            "not allowed"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongAnswers")
  @DisplayName("places a buffer wrongly: at once replaced, no map gets the address")
  void placesWrongly(final String name, final Answer answer, final String rule) {
    assertThat(name).isNotEmpty();
    bad.answer("dev", answer);
    tryMap(); // which fails, unless the fallback was there before it gave up
    assertReplaced(rule);
    assertBytes();
    assertAllComesBack();
  }

  @Test
  void wrongPlacementSetsAsideWhatLivesUntilItIsUnmapped() {
    bad.answer("dev", (i, r, a) -> a.bounce(0x123_0000, 0x123_0000, SIZE));
    tryMap();
    assertReplaced("in no extent");
    await(() -> !kit.core.quarantined().isEmpty(), "set aside");
    final var info = kit.core.quarantined().getFirst();
    assertThat(info.pool()).isEqualTo("bad@dev");
    assertThat(info.live()).isEqualTo(6);
    assertThat(info.extents()).isPositive();
    assertThat(info.reason()).startsWith("wrong address");
    final Live last = lives.stream().filter(l -> l.device == dev).findFirst().get();
    lives.remove(last);
    assertBytes();
    kit.core.pools(); // whatever looks at it
    assertThat(kit.core.quarantined()).as("one lives still").isNotEmpty();
    lives.add(last);
    assertBytes();
    assertAllComesBack();
  }

  @Test
  void anExtentThatWasGivenBackIsNotItsOwnAnyMore() {
    // What lives keeps its extents in the first pool; a second pool of the device has others.
    final MisbehavingStrategy.Instance before = instance;
    kit.use(dev, "good", new SwapOptions(null, 50L, SwapPolicy.ADOPT));
    kit.use(dev, "bad", new SwapOptions(null, 50L, SwapPolicy.ADOPT));
    assertThat(bad.instances.getLast()).isNotSameAs(before);
    final Extent gone;
    synchronized (bad.instances.getLast().extents) {
      final List<Extent> now = List.copyOf(bad.instances.getLast().extents);
      gone =
          before.extents.stream()
              .filter(e -> lives.stream().anyMatch(l -> within(e, l.bus)))
              .filter(e -> now.stream().noneMatch(n -> within(n, e.busAddress())))
              .findFirst()
              .get();
    }
    bad.answer(
        "dev",
        (i, r, a) -> {
          final long bus = gone.end() - 65_536;
          a.bounce(bus, bus, SIZE);
        });
    tryMap();
    assertReplacedOnce("in no extent of its stripe");
    await(() -> "good".equals(kit.info(dev).strategy()), "the fallback is there");
    assertBytes();
    assertAllComesBack();
  }

  private static boolean within(final Extent extent, final long bus) {
    return bus >= extent.busAddress() && bus < extent.end();
  }

  static Stream<Arguments> nonsense() {
    return Stream.of(
        Arguments.of("no answer", (Answer) (i, r, a) -> {}, "no answer"),
        Arguments.of("0 bytes", (Answer) (i, r, a) -> a.needExtent(0, 0), "of 0 bytes"),
        Arguments.of("negative", (Answer) (i, r, a) -> a.needExtent(-1, 0), "of -1 bytes"),
        Arguments.of("a terabyte", (Answer) (i, r, a) -> a.needExtent(1L << 40, 0), "bytes"),
        Arguments.of("odd alignment", (Answer) (i, r, a) -> a.needExtent(SIZE, 5 << 12), "0x"),
        Arguments.of("without end", (Answer) (i, r, a) -> a.needExtent(SIZE, 0), "again"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("nonsense")
  @DisplayName("answers nonsense: borne up to the limit, then replaced")
  void answersNonsense(final String name, final Answer answer, final String note) {
    assertThat(name).isNotEmpty();
    assertBytes();
    final Live held = map(dev, 3);
    lives.add(held);
    bad.answer("dev", answer);
    await(
        () -> {
          tryMap();
          return "good".equals(kit.info(dev).strategy());
        },
        "replaced");
    assertReplacedOnce(note);
    assertBytes();
    assertAllComesBack();
  }

  private void assertReplacedOnce(final String note) {
    await(
        () -> kit.core.history().stream().anyMatch(r -> r.cause().equals("misbehaved")),
        "it is reported");
    assertThat(
            kit.core.history().stream()
                .filter(r -> r.cause().equals("misbehaved"))
                .map(SwapReport::note))
        .anyMatch(text -> text != null && text.contains(note));
    assertThat(kit.info(other).strategy()).isEqualTo("bad");
  }

  @Test
  void neverReleases() {
    bad.leak("dev");
    await(
        () -> {
          if (!tryMap() && !lives.isEmpty()) {
            assertBytes(); // from now on nothing of it is in use
          }
          return "good".equals(kit.info(dev).strategy());
        },
        "it is found out");
    assertReplaced("none of its slots is in use");
    assertAllComesBack();
  }

  @Test
  void aUserOrANewServiceBringsItBack() {
    bad.answer("dev", (i, r, a) -> a.bounce(0x123_0000, 0x123_0000, SIZE));
    tryMap();
    assertReplaced("in no extent");
    bad.behave();
    kit.core.settings(
        new Settings("bad", true, 500, SwapPolicy.ADOPT, WATCHDOG_MS).withMisbehaviourLimit(2));
    await(() -> kit.core.transitions().isEmpty(), "no swap");
    assertThat(kit.info(dev).strategy()).as("it is still wanted, and not used").isEqualTo("good");
    kit.use(dev, "bad");
    assertThat(kit.info(dev).strategy()).isEqualTo("bad");
    bad.answer("dev", (i, r, a) -> a.bounce(0x123_0000, 0x123_0000, SIZE));
    tryMap();
    await(() -> "good".equals(kit.info(dev).strategy()), "replaced again");
    bad.behave();
    kit.core.strategyAdded(new StrategyRef("bad", bad, 2, "test", 2, 1));
    await(() -> "bad".equals(kit.info(dev).strategy()), "its service came anew");
    assertBytes();
  }

  @Test
  void misalignedForTheDeviceIsWrong() {
    final DmaDevice narrow = device("narrow", 0xffff);
    bad.answer(
        "narrow",
        (i, r, a) -> {
          final long bus = i.home().busAddress() + 0x10000 - Extent.SLOT_SIZE;
          a.bounce(bus, bus, SIZE);
        });
    final long bus = narrow.map(kit.guest.buffer(SIZE, 0), SIZE, DmaDirection.TO_DEVICE, 0);
    await(() -> "good".equals(kit.info(narrow).strategy()), "replaced");
    if (bus != DmaDevice.MAPPING_ERROR) { // the fallback came while it was still trying
      assertThat((bus & 0xffff) + SIZE).isLessThanOrEqualTo(0x10000);
      narrow.unmap(bus, SIZE, DmaDirection.TO_DEVICE, 0);
    }
    assertBytes();
  }

  @ParameterizedTest
  @EnumSource(
      value = Entry.class,
      names = {"ALLOCATE", "TICK", "RETRACT", "CLOSE"})
  @DisplayName("whatever it hangs in, the stop of its bundle returns in bounded time")
  void stopReturns(final Entry entry) {
    bad.misbehave("dev", entry, Act.HANG);
    if (entry == Entry.ALLOCATE) {
      inThread(this::tryMap);
      await(() -> bad.hanging.get() > 0, "it hangs");
    }
    final long start = System.nanoTime();
    kit.core.strategyRemoved(2);
    final long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    // Not on time alone: a loaded machine takes its time, but it is nowhere near for ever.
    assertThat(tookMs).isLessThan(10_000);
    await(() -> "good".equals(kit.info(dev).strategy()), "replaced");
    await(() -> "good".equals(kit.info(other).strategy()), "replaced");
    assertBytes();
    bad.hang.countDown();
    await(() -> slots("good", "dev") == SETS * 128L, "all sets came back");
  }

  @Test
  void whatIsNotAskedForIsNotHeldUp() {
    bad.misbehave("dev", Entry.USED_SLOTS, Act.HANG);
    final long start = System.nanoTime();
    kit.core.pools(); // asks for its numbers
    assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(10));
    assertReplaced("usedSlots did not return");
    assertBytes();
    assertThat(kit.use(other, "good", new SwapOptions(null, 300L, null)).outcome())
        .isEqualTo("DRAINED");
  }
}
