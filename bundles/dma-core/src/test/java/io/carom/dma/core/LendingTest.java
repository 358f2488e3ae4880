package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.core.swap.Settings;
import io.carom.memory.LentPages;
import io.carom.memory.PageLender;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What pools lend, and get back. */
final class LendingTest {
  private final NeedingStrategy strategy = new NeedingStrategy();
  private final List<LentPages> vacated = new CopyOnWriteArrayList<>();
  private final AtomicBoolean pinned = new AtomicBoolean();

  private boolean vacate(final LentPages pages) {
    if (pinned.get()) {
      return false;
    }
    vacated.add(pages);
    return true;
  }

  private CoreKit kit(final boolean confidential) {
    strategy.planned = 1 << 20;
    final CoreKit kit = new CoreKit(new TestGuest(32, 32, confidential), Settings.DEFAULTS);
    kit.add("lending", strategy, 1);
    return kit;
  }

  @Test
  void whatIsLentLiesInThePoolAndShowsThere() {
    try (CoreKit kit = kit(false)) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "lending");
      final PageLender lender = kit.core.lender();
      final List<LentPages> held = new ArrayList<>();
      LentPages next;
      while ((next = lender.borrow(4, this::vacate)) != null) {
        next.memory().fill((byte) held.size());
        held.add(next);
      }
      assertThat(held).hasSize(64);
      assertThat(lender.lentPages()).isEqualTo(256);
      assertThat(kit.core.occupancy("lending").runs())
          .hasSize(64)
          .allMatch(run -> run.use().equals("LENT") && run.slots() == 8);
      for (int i = 0; i < 64; i++) {
        assertThat(kit.guest.get(held.get(i).address())).isEqualTo(i);
        lender.giveBack(held.get(i));
      }
      assertThat(lender.lentPages()).isZero();
      assertThat(kit.core.occupancy("lending").runs()).isEmpty();
      assertThatThrownBy(() -> lender.giveBack(held.getFirst()))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void whatIsWantedBackIsVacated() {
    try (CoreKit kit = kit(false)) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "lending");
      final PageLender lender = kit.core.lender();
      final LentPages pages = Objects.requireNonNull(lender.borrow(1, this::vacate));
      pinned.set(true);
      strategy.wantedBack = 4096;
      CoreKit.await(() -> strategy.ticks.get() > 5, "it was asked, in vain");
      assertThat(lender.lentPages()).isEqualTo(1);
      pinned.set(false);
      CoreKit.await(() -> lender.lentPages() == 0, "the page is back");
      assertThat(vacated).containsExactly(pages);
    }
  }

  @Test
  void aPoolThatIsGivenUpGetsItsPagesBack() {
    try (CoreKit kit = kit(false)) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "lending");
      final long before = kit.guest.usedPages();
      kit.core.lender().borrow(2, this::vacate);
      kit.use(device, "direct");
      CoreKit.await(() -> kit.core.pools().isEmpty(), "the pool is closed");
      assertThat(kit.guest.usedPages()).isEqualTo(before - 256);
      assertThat(vacated).hasSize(1);
    }
  }

  @Test
  void aConfidentialGuestLendsNothing() {
    try (CoreKit kit = kit(true)) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "lending");
      assertThat(kit.core.lender().borrow(1, this::vacate)).isNull();
    }
  }

  @Test
  void senselessWishesAreRefused() {
    try (CoreKit kit = kit(false)) {
      assertThatThrownBy(() -> kit.core.lender().borrow(0, this::vacate))
          .hasMessageContaining("pages=0");
    }
  }
}
