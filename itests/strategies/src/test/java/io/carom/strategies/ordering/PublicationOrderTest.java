package io.carom.strategies.ordering;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Is a bounce buffer always recognised by whoever gets to know its address?
 *
 * <p><b>The bug.</b> The second series of dynamic software IO TLB patches (May 2023) kept a list of
 * buffers for each device, and, to spare devices that never bounce, a flag beside it: set with
 * release after the list got its entry, read with acquire before the list is walked. Its review
 * found that this orders the wrong things. Nobody looks a buffer up before it has an address, and
 * it gets the address from a driver, that stored it somewhere with a plain store <em>after</em> the
 * map returned. A store with release does not hold back a later plain store. So another processor
 * can read the address, read the flag as it was before, and take the buffer for one that the device
 * reached where it was: nothing is copied back, and the data is lost. Leaving the list's lock does
 * not help, it is only another release.
 *
 * <p><b>The cure</b> that the review asked for: no flag; a store fence between the list and the
 * return of the address; a load fence between the address and the look at the list.
 *
 * <p><b>Carom</b> has two things to be seen with the address: the extent's entry in the index, and
 * the mapping's record. Between the entry and the address lies at least one compare-and-set, which
 * nothing passes. The record is published with release under the stripe's lock, whose end is
 * another release, so before the address is returned there must be a store fence as well. On the
 * reader's side no fence is needed: the places of both are computed from the address.
 */
class PublicationOrderTest {
  private static final String SEEN = "a";

  private static int value(final Map<String, Integer> registers, final String register) {
    return registers.getOrDefault(register, 0);
  }

  /** The reader has the address and does not find the buffer. */
  private static boolean missed(final Map<String, Integer> registers, final String... found) {
    return value(registers, SEEN) == 1
        && List.of(found).stream().anyMatch(r -> value(registers, r) == 0);
  }

  private static Litmus flagged(final boolean fences) {
    final Litmus litmus = new Litmus();
    final Litmus.Program publisher = litmus.thread("mapper");
    publisher.spinLock("lock").store("list").unlock("lock").storeRelease("flag");
    final Litmus.Program reader = litmus.thread("interrupt").load("address", SEEN);
    if (fences) {
      publisher.storeFence();
      reader.loadFence();
    }
    publisher.store("address");
    reader.loadAcquire("flag", "flag").spinLockIf("lock", "flag").load("list", "list");
    reader.unlockIf("lock", "flag");
    return litmus;
  }

  @Test
  void theFlagOfTheSeriesLosesABuffer() {
    final List<String> execution = flagged(false).find(r -> missed(r, "flag", "list"));
    assertThat(execution).isNotEmpty();
    // It takes no exotic step: the address is out, and read, before the flag is.
    assertThat(execution.indexOf("mapper: store address = 1"))
        .isLessThan(execution.indexOf("mapper: store.release flag = 1"));
  }

  @Test
  void theFlagWouldHoldWithFencesAroundTheAddress() {
    assertThat(flagged(true).find(r -> missed(r, "flag", "list"))).isEmpty();
  }

  /**
   * @param fences 1: the publisher's, 2: the reader's
   */
  private static Litmus unflagged(final int fences, final int othersInList) {
    final Litmus litmus = new Litmus().initially("empty check", othersInList);
    final Litmus.Program publisher = litmus.thread("mapper").spinLock("lock");
    publisher.store("list").store("empty check").unlock("lock");
    final Litmus.Program reader = litmus.thread("interrupt").load("address", SEEN);
    if ((fences & 1) != 0) {
      publisher.storeFence();
    }
    if ((fences & 2) != 0) {
      reader.loadFence();
    }
    publisher.store("address");
    reader.load("empty check", "some").spinLockIf("lock", "some").load("list", "list");
    reader.unlockIf("lock", "some");
    return litmus;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void theCorrectedSeriesFindsEveryBuffer(final int othersInList) {
    assertThat(unflagged(3, othersInList).find(r -> missed(r, "some", "list"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void theCorrectedSeriesNeedsBothFences(final int fences) {
    assertThat(unflagged(fences, 0).find(r -> missed(r, "some", "list"))).isNotEmpty();
  }

  /**
   * Carom's map of a buffer in an extent that is granted right before, and a sync by who gets the
   * address through a race.
   */
  private static Litmus carom(final boolean fence, final boolean grantedUnderLock) {
    final Litmus litmus = new Litmus();
    final Litmus.Program publisher = litmus.thread("mapper").storeRelease("index");
    if (grantedUnderLock) {
      publisher.casLock("stripe");
      publisher.storeRelease("record").unlock("stripe");
    } else {
      publisher.storeRelease("record");
    }
    if (fence) {
      publisher.storeFence();
    }
    publisher.store("address");
    litmus
        .thread("interrupt")
        .load("address", SEEN)
        .loadAcquireAt("index", SEEN, "index")
        .loadAcquireAt("record", SEEN, "record");
    return litmus;
  }

  @Test
  void caromFindsEveryBuffer() {
    assertThat(carom(true, true).find(r -> missed(r, "index", "record"))).isEmpty();
  }

  @Test
  void caromNeedsItsStoreFence() {
    assertThat(carom(false, true).find(r -> missed(r, "record"))).isNotEmpty();
  }

  @Test
  void theStripesLockKeepsTheExtentBeforeTheAddress() {
    assertThat(carom(false, true).find(r -> missed(r, "index"))).isEmpty();
    assertThat(carom(false, false).find(r -> missed(r, "index"))).isNotEmpty();
  }

  /** An extent that another thread added and granted, mapped in by one that gets it by the lock. */
  @Test
  void anExtentOfAnotherThreadIsFoundAsWell() {
    final Litmus litmus = new Litmus();
    litmus
        .thread("granter")
        .storeRelease("index")
        .casLock("stripe")
        .store("granted")
        .unlock("stripe");
    litmus
        .thread("mapper")
        .casLock("stripe")
        .load("granted", "g")
        .storeRelease("record")
        .unlock("stripe")
        .storeFence()
        .store("address");
    litmus.thread("interrupt").load("address", SEEN).loadAcquireAt("index", SEEN, "index");
    assertThat(litmus.find(r -> value(r, "g") == 1 && missed(r, "index"))).isEmpty();
  }

  /** The checker itself: the shapes of which the answer is known. */
  @Test
  void knownShapes() {
    // store buffering: both loads may be early, even of what is released and acquired
    final Litmus buffering = new Litmus();
    buffering.thread("1").storeRelease("x").loadAcquire("y", "r1");
    buffering.thread("2").storeRelease("y").loadAcquire("x", "r2");
    assertThat(buffering.find(r -> value(r, "r1") == 0 && value(r, "r2") == 0)).isNotEmpty();
    // message passing holds with release and acquire, and not without either
    assertThat(passing(true, true).find(r -> value(r, "f") == 1 && value(r, "d") == 0)).isEmpty();
    assertThat(passing(false, true).find(r -> value(r, "f") == 1 && value(r, "d") == 0))
        .isNotEmpty();
    assertThat(passing(true, false).find(r -> value(r, "f") == 1 && value(r, "d") == 0))
        .isNotEmpty();
    // one variable is always coherent
    final Litmus coherent = new Litmus();
    coherent.thread("1").store("x");
    coherent.thread("2").load("x", "r1").load("x", "r2");
    assertThat(coherent.find(r -> value(r, "r1") == 1 && value(r, "r2") == 0)).isEmpty();
  }

  private static Litmus passing(final boolean release, final boolean acquire) {
    final Litmus litmus = new Litmus();
    final Litmus.Program sender = litmus.thread("1").store("data");
    final Litmus.Program receiver = litmus.thread("2");
    if (release) {
      sender.storeRelease("flag");
    } else {
      sender.store("flag");
    }
    if (acquire) {
      receiver.loadAcquire("flag", "f").load("data", "d");
    } else {
      receiver.load("flag", "f").load("data", "d");
    }
    return litmus;
  }
}
