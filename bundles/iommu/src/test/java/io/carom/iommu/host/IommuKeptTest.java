package io.carom.iommu.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.IommuHost.DomainInfo;
import io.carom.iommu.IommuHost.EndpointInfo;
import io.carom.iommu.IommuHost.MappingRange;
import io.carom.iommu.IommuRecord;
import io.carom.iommu.IommuState;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.pci.Translation;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the next incarnation of the IOMMU goes on from. */
class IommuKeptTest {
  private static final long PAGE = 4096;
  private static final long IOVA = 1L << 40;

  private Rig rig = new Rig();

  private void attachAndMap() {
    assertThat(rig.attach(1, Rig.EP_A)).isZero();
    assertThat(rig.map(1, IOVA, 2 * PAGE, 0x5000)).isZero();
  }

  private void restart() {
    rig = rig.next(IommuSettings.DEFAULTS);
    assertThat(rig.iommu.refusal()).isNull();
  }

  @Test
  @DisplayName("domains, mappings and attachments are there before the first access")
  void everythingIsThere() {
    attachAndMap();
    assertThat(rig.status(Rig.attachBytes(2, Rig.EP_B, VirtioIommuDescriptor.ATTACH_F_BYPASS)))
        .isZero();
    assertThat(rig.status(Rig.mapBytes(1, 0, PAGE - 1, 0x9000, 1))).isZero();
    restart();
    assertThat(rig.read(Rig.A, IOVA + PAGE + 8, 8)).isEqualTo(0x6008);
    assertThat(rig.read(Rig.A, 8, 8)).isEqualTo(0x9008);
    assertThat(rig.write(Rig.A, 8, 8)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, 2 * PAGE, 8)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.B, 0x77, 8)).isEqualTo(0x77);
    assertThat(rig.view.domains())
        .containsExactly(
            new DomainInfo(1, false, List.of(Rig.A), 2, 3, 3 * PAGE),
            new DomainInfo(2, true, List.of(Rig.B), 0, 0, 0));
    assertThat(rig.view.counters().mappedPages()).isEqualTo(3);
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isZero();
    restart();
    assertThat(rig.read(Rig.A, IOVA, 8)).as("it never comes back").isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.A, 8, 8)).isEqualTo(0x9008);
  }

  @Test
  @DisplayName("a request that is handled again gets the answer that it had")
  void handledAgain() {
    attachAndMap();
    restart();
    assertThat(rig.map(1, IOVA, 2 * PAGE, 0x5000)).as("MAP").isZero();
    assertThat(rig.map(1, IOVA, 2 * PAGE, 0x5000)).as("the next").isEqualTo(IommuStatus.INVAL);
    restart();
    assertThat(rig.map(1, IOVA, PAGE, 0x5000)).as("another").isEqualTo(IommuStatus.INVAL);
    assertThat(rig.map(1, IOVA, 2 * PAGE, 0x5000)).as("not first").isEqualTo(IommuStatus.INVAL);
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isZero();
    restart();
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).as("UNMAP").isZero();
    assertThat(rig.attach(2, Rig.EP_B)).isZero();
    restart();
    assertThat(rig.attach(2, Rig.EP_B)).as("ATTACH").isZero();
    assertThat(rig.detach(2, Rig.EP_B)).isZero();
    restart();
    assertThat(rig.detach(2, Rig.EP_A)).as("another").isEqualTo(IommuStatus.INVAL);
    assertThat(rig.attach(2, Rig.EP_B)).isZero();
    assertThat(rig.detach(2, Rig.EP_B)).isZero();
    restart();
    assertThat(rig.detach(2, Rig.EP_B)).as("DETACH").isZero();
    assertThat(rig.detach(2, Rig.EP_B)).as("the next").isEqualTo(IommuStatus.INVAL);
  }

  @Test
  @DisplayName("so it is when only the transport was replaced")
  void theTransportAlone() {
    attachAndMap();
    rig.model.unplugged();
    assertThat(rig.read(Rig.A, IOVA, 8)).as("domains live on").isEqualTo(0x5000);
    assertThat(rig.watched).isPositive();
    rig.model.plugged(rig);
    rig.model.reset(); // the transport's, on the way
    rig.model.resumed();
    rig.requests = rig.model.open(0, IommuModel.FEATURES);
    assertThat(rig.map(1, IOVA, 2 * PAGE, 0x5000)).isZero();
    assertThat(rig.read(Rig.A, IOVA, 8)).isEqualTo(0x5000);
    rig.model.reset(); // the driver's
    assertThat(rig.view.domains()).isEmpty();
    assertThat(rig.read(Rig.A, IOVA, 8)).as("bypass").isEqualTo(IOVA);
  }

  @Test
  @DisplayName("a driver that begins anew, or is gone, leaves what was translated blocked")
  void aDriverThatIsNotTheSame() {
    attachAndMap();
    rig.model.unplugged();
    rig.model.plugged(rig);
    rig.model.reset();
    rig.requests = rig.model.open(0, IommuModel.FEATURES);
    assertThat(rig.attach(7, Rig.EP_B)).isZero();
    assertThat(rig.read(Rig.A, IOVA, 8)).isEqualTo(Translation.FAULT);
    assertThat(rig.view.endpoints()).contains(new EndpointInfo(Rig.A, "blocked"));
    restart();
    assertThat(rig.read(Rig.A, IOVA, 8)).as("held is kept").isEqualTo(Translation.FAULT);

    rig = new Rig();
    attachAndMap();
    rig.model.unplugged();
    assertThat(rig.model.look()).isTrue();
    rig.slotKept = false;
    assertThat(rig.model.look()).isFalse();
    assertThat(rig.read(Rig.A, IOVA, 8)).as("its slot is gone").isEqualTo(Translation.FAULT);

    rig = new Rig();
    attachAndMap();
    rig.model.unplugged();
    rig.model.plugged(rig);
    rig.now += (IommuModel.PATIENCE_MS + 1) * 1_000_000;
    assertThat(rig.model.look()).isFalse();
    assertThat(rig.read(Rig.A, IOVA, 8)).as("it does not resume").isEqualTo(Translation.FAULT);
  }

  @Test
  @DisplayName("limits that are smaller now hold for what comes, not for what is there")
  void smallerLimits() {
    attachAndMap();
    rig = rig.next(IommuSettings.DEFAULTS.withLimits(1, 1));
    assertThat(rig.iommu.refusal()).isNull();
    assertThat(rig.read(Rig.A, IOVA, 8)).isEqualTo(0x5000);
    assertThat(rig.map(1, 0, PAGE, 0)).isEqualTo(IommuStatus.NOMEM);
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).isZero();
  }

  @Test
  @DisplayName("bypass is as the driver left it, unless it was configured otherwise meanwhile")
  void bypass() {
    rig.model.configWritten(VirtioIommuDescriptor.CONFIG_BYPASS, 1, 0);
    restart();
    assertThat(rig.iommu.bypass()).isFalse();
    assertThat(rig.configs).as("the driver reads it").containsExactly("36=0");
    rig = rig.next(IommuSettings.DEFAULTS.withBypass(false));
    rig = rig.next(IommuSettings.DEFAULTS.withBypass(true));
    assertThat(rig.iommu.bypass()).isTrue();
  }

  @Test
  @DisplayName("a record of a newer version, or of other memory, is refused: all is blocked")
  void whatIsNotUnderstood() {
    attachAndMap();
    final IommuRecord newer = rig.records.claim();
    newer.goOn(IommuState.VERSION + 1, true);
    assertThat(rig.map(1, 0, PAGE, 0)).as("void").isEqualTo(IommuStatus.DEVERR);
    assertThat(rig.unmap(1, IOVA, 2 * PAGE)).as("void").isEqualTo(IommuStatus.DEVERR);
    assertThat(rig.attach(3, Rig.EP_B)).as("void").isEqualTo(IommuStatus.DEVERR);
    rig = rig.next(IommuSettings.DEFAULTS);
    assertThat(rig.iommu.refusal()).contains("version 2", "1..1").doesNotContain("\n");
    assertThat(rig.read(Rig.A, IOVA, 8)).isEqualTo(Translation.FAULT);
    assertThat(rig.read(Rig.B, IOVA, 8)).as("never attached").isEqualTo(IOVA);
    assertThat(rig.view.domains()).isEmpty();
    rig.needsResetAllowed = true;
    assertThat(rig.map(1, 0, PAGE, 0)).isEqualTo(IommuStatus.NOENT);
    assertThat(rig.needsReset).contains("version 2");

    rig = new Rig();
    attachAndMap();
    rig.records.claim().mapped(1, 0, PAGE - 1, Rig.RAM, Rig.RW);
    rig = rig.next(IommuSettings.DEFAULTS);
    assertThat(rig.iommu.refusal()).contains("0x0", "0x40000000", "domain 1");
    assertThat(rig.read(Rig.A, IOVA, 8)).isEqualTo(Translation.FAULT);
    assertThat(rig.iommu.tablePages()).isZero();
  }

  /** A domain as the test knows it: what is mapped, by first address. */
  private record Model(boolean passes, TreeMap<Long, long[]> mappings) {}

  @Test
  @DisplayName("random requests and restarts: translations and answers are those of a model")
  void randomRequestsAndRestarts() {
    final Random random = Seed.random("IommuKeptTest");
    final Map<Integer, Model> domains = new TreeMap<>();
    final Map<String, Integer> attached = new TreeMap<>();
    int restarts = 0;
    boolean fresh = false;
    byte[] done = {}; // the last MAP or DETACH that was done
    for (int step = 0; step < 4000; step++) {
      final int domain = 1 + random.nextInt(3);
      final String port = random.nextBoolean() ? Rig.A : Rig.B;
      final int endpoint = port.equals(Rig.A) ? Rig.EP_A : Rig.EP_B;
      final long start = random.nextInt(24) * PAGE;
      final long bytes = (1 + random.nextInt(4)) * PAGE;
      final int kind = random.nextInt(20);
      final byte[] request;
      int expected = IommuStatus.OK;
      if (kind == 0) {
        final boolean passes = random.nextInt(4) == 0;
        request = Rig.attachBytes(domain, endpoint, passes ? 1 : 0);
        final Model known = domains.get(domain);
        if (known != null && known.passes != passes) {
          expected = IommuStatus.INVAL;
        } else {
          domains.computeIfAbsent(domain, n -> new Model(passes, new TreeMap<>()));
          leave(domains, attached, attached.put(port, domain));
        }
      } else if (kind == 1) {
        request = Rig.detachBytes(domain, endpoint);
        if (attached.getOrDefault(port, 0) == domain) {
          leave(domains, attached, attached.remove(port));
        } else {
          expected = IommuStatus.INVAL;
        }
      } else if (kind < 12) {
        final long physical = random.nextInt(1000) * PAGE;
        final int flags = 1 + random.nextInt(3);
        request = Rig.mapBytes(domain, start, start + bytes - 1, physical, flags);
        expected = map(domains.get(domain), start, bytes, physical, flags);
      } else {
        request = Rig.unmapBytes(domain, start, start + bytes - 1);
        expected = unmap(domains.get(domain), start, start + bytes - 1);
      }
      final boolean twice = expected == IommuStatus.INVAL && Arrays.equals(request, done);
      expect(request, expected, fresh && twice, step);
      if (kind > 0 && kind < 12 && expected == IommuStatus.OK) {
        done = request;
      }
      fresh = random.nextInt(20) == 0;
      if (fresh) {
        restart();
        restarts++;
        assertThat(rig.view.domains()).hasSize(domains.size());
        if (random.nextBoolean()) { // it was answered, but the next one cannot know that
          expect(request, expected, twice, step);
          fresh = false;
        }
      }
      check(domains, attached, step);
    }
    assertThat(restarts).isGreaterThan(50);
    for (final Map.Entry<Integer, Model> each : domains.entrySet()) {
      assertThat(rig.view.mappings(each.getKey(), 99).stream().map(MappingRange::start))
          .containsExactlyElementsOf(each.getValue().mappings.keySet());
    }
  }

  /**
   * Makes a request.
   *
   * @param forgiven whether it asks for the last change once more, as the first after a restart,
   *     which may be taken for one that is handled again
   */
  private void expect(
      final byte[] request, final int status, final boolean forgiven, final int step) {
    assertThat(rig.status(request))
        .as("step %d", step)
        .isIn(status, forgiven ? IommuStatus.OK : status);
  }

  private static void leave(
      final Map<Integer, Model> domains, final Map<String, Integer> attached, final Integer old) {
    if (old != null && !attached.containsValue(old)) {
      domains.remove(old);
    }
  }

  private static int map(
      final @Nullable Model domain,
      final long start,
      final long bytes,
      final long physical,
      final int flags) {
    if (domain == null) {
      return IommuStatus.NOENT;
    }
    final var before = domain.mappings.lowerEntry(start + bytes);
    if (domain.passes || (before != null && before.getKey() + before.getValue()[0] > start)) {
      return IommuStatus.INVAL;
    }
    domain.mappings.put(start, new long[] {bytes, physical, flags});
    return IommuStatus.OK;
  }

  private static int unmap(final @Nullable Model domain, final long start, final long last) {
    if (domain == null) {
      return IommuStatus.NOENT;
    }
    if (domain.passes) {
      return IommuStatus.INVAL;
    }
    for (final long edge : new long[] {start, last + 1}) {
      final var before = domain.mappings.lowerEntry(edge);
      if (before != null && before.getKey() + before.getValue()[0] > edge) {
        return IommuStatus.RANGE;
      }
    }
    domain.mappings.subMap(start, last).clear();
    return IommuStatus.OK;
  }

  private void check(
      final Map<Integer, Model> domains, final Map<String, Integer> attached, final int step) {
    for (final String port : List.of(Rig.A, Rig.B)) {
      final Model domain = domains.get(attached.getOrDefault(port, 0));
      for (long at = 8; at < 28 * PAGE; at += PAGE) {
        long expected = at;
        long writable = at;
        if (domain != null && !domain.passes) {
          final var entry = domain.mappings.floorEntry(at);
          final boolean there = entry != null && at < entry.getKey() + entry.getValue()[0];
          final long behind = there ? entry.getValue()[1] + (at - entry.getKey()) : -1;
          expected = there && (entry.getValue()[2] & 1) != 0 ? behind : -1;
          writable = there && (entry.getValue()[2] & 2) != 0 ? behind : -1;
        }
        assertThat(rig.read(port, at, 8)).as("step %d, %s %x", step, port, at).isEqualTo(expected);
        assertThat(rig.write(port, at, 8)).as("step %d", step).isEqualTo(writable);
      }
    }
  }
}
