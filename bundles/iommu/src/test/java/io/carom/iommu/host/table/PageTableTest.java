package io.carom.iommu.host.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.IommuStatus;
import io.carom.iommu.host.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The tables of a domain against a map of its mappings. */
class PageTableTest {
  private static final long PAGE = 4096;
  private static final long MIB2 = 2L << 20;
  private static final long GIB = 1L << 30;
  private static final int RW = 3;
  private static final PhysicalSpace ANYTHING = (address, bytes, mmio) -> address;

  private final PageBudget budget = new PageBudget(1 << 14);

  @Test
  void agreesWithAMapOfMappings() {
    final Random random = Seed.random("PageTableTest");
    for (int round = 0; round < 12; round++) {
      final Domain domain = new Domain(1, false, budget, ANYTHING);
      final TreeMap<Long, Mapping> model = new TreeMap<>();
      for (int step = 0; step < 300; step++) {
        final long start = start(random);
        final long bytes = bytes(random);
        if (random.nextInt(5) < 3) {
          map(domain, model, start, bytes, random);
        } else {
          unmap(domain, model, start, bytes, random);
        }
        check(domain, model, start(random) + random.nextInt(1 << 13));
        check(domain, model, start - 1);
        check(domain, model, start);
        check(domain, model, start + bytes - 1);
        check(domain, model, start + bytes);
      }
      assertThat(domain.count()).isEqualTo(model.size());
      assertThat(domain.mappings()).containsExactlyElementsOf(model.values());
      final long total = model.values().stream().mapToLong(Mapping::bytes).sum();
      assertThat(domain.bytes()).isEqualTo(total);
      assertThat(domain.unmap(0, (1L << 48) - 1)).isEqualTo(model.size());
      assertThat(budget.used()).isZero(); // every node that has become empty is gone
    }
  }

  private static void map(
      final Domain domain,
      final TreeMap<Long, Mapping> model,
      final long start,
      final long bytes,
      final Random random) {
    final long last = start + bytes - 1;
    final Map.Entry<Long, Mapping> near = model.floorEntry(last);
    final boolean overlap = near != null && near.getValue().last() >= start;
    assertThat(domain.overlaps(start, last)).isEqualTo(overlap);
    if (!overlap) {
      // As often as not the memory is aligned as the addresses are, so that pages are large.
      final long physical =
          random.nextBoolean() ? start % (GIB * 4) : random.nextInt(1 << 18) * PAGE;
      final Mapping mapping = new Mapping(start, last, physical, random.nextInt(8));
      assertThat(domain.map(mapping)).isEqualTo(IommuStatus.OK);
      model.put(start, mapping);
    }
  }

  private static void unmap(
      final Domain domain,
      final TreeMap<Long, Mapping> model,
      final long about,
      final long bytes,
      final Random random) {
    final Map.Entry<Long, Mapping> near = model.floorEntry(about);
    final boolean exact = near != null && random.nextBoolean();
    final long start = exact ? near.getKey() : about;
    final long last = exact ? near.getValue().last() : about + bytes - 1;
    boolean splits = false;
    final List<Long> within = new ArrayList<>();
    for (final Mapping mapping : model.values()) {
      if (mapping.start() <= last && mapping.last() >= start) {
        splits |= mapping.start() < start || mapping.last() > last;
        within.add(mapping.start());
      }
    }
    assertThat(domain.splits(start, last)).isEqualTo(splits);
    if (!splits) {
      assertThat(domain.unmap(start, last)).isEqualTo(within.size());
      within.forEach(model::remove);
    }
  }

  private static void check(
      final Domain domain, final TreeMap<Long, Mapping> model, final long address) {
    final long entry = domain.walk(address);
    final Map.Entry<Long, Mapping> near = address < 0 ? null : model.floorEntry(address);
    if (near == null || near.getValue().last() < address) {
      assertThat(entry).as("0x%x", address).isEqualTo(Pte.NONE);
      return;
    }
    final Mapping mapping = near.getValue();
    assertThat(entry).as("0x%x", address).isNotEqualTo(Pte.NONE);
    assertThat(Pte.behind(entry, address))
        .as("0x%x in %s", address, mapping)
        .isEqualTo(mapping.physical() + (address - mapping.start()));
    assertThat(entry & Pte.FLAGS).isEqualTo(mapping.flags());
    assertThat(Pte.last(entry, address)).isBetween(address, mapping.last());
  }

  private static long start(final Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextInt(64) * PAGE;
      case 1 -> random.nextInt(16) * MIB2;
      case 2 -> random.nextInt(8) * GIB;
      default -> (1L << 47) + (random.nextInt(2048) * PAGE);
    };
  }

  private static long bytes(final Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> (1 + random.nextInt(16)) * PAGE;
      case 1 -> (1 + random.nextInt(3)) * MIB2;
      case 2 -> GIB + (random.nextInt(3) * MIB2) + (random.nextInt(3) * PAGE);
      default -> PAGE;
    };
  }

  @Test
  void largePagesTakeTheFewestEntries() {
    final PageTable table = new PageTable(budget, ANYTHING);
    final long start = GIB - MIB2 - PAGE;
    final long bytes = PAGE + MIB2 + GIB + MIB2 + PAGE;
    assertThat(table.map(start, bytes, start, RW)).isEqualTo(IommuStatus.OK);
    assertThat(Pte.last(table.walk(start), start)).isEqualTo(start + PAGE - 1);
    assertThat(Pte.last(table.walk(GIB - 1), GIB - MIB2)).isEqualTo(GIB - 1);
    assertThat(Pte.last(table.walk(GIB), GIB)).isEqualTo((2 * GIB) - 1);
    assertThat(Pte.last(table.walk(2 * GIB), 2 * GIB)).isEqualTo((2 * GIB) + MIB2 - 1);
    assertThat(budget.used()).isEqualTo(5); // one of level 2, and two each of the levels below
    table.unmap(start, bytes);
    assertThat(budget.used()).isZero();
  }

  @Test
  void memoryOfDifferentAlignmentTakesSmallPages() {
    final PageTable table = new PageTable(budget, ANYTHING);
    assertThat(table.map(MIB2, MIB2, PAGE, RW)).isEqualTo(IommuStatus.OK);
    assertThat(Pte.last(table.walk(MIB2), MIB2)).isEqualTo(MIB2 + PAGE - 1);
    assertThat(Pte.behind(table.walk(MIB2 + 8191), MIB2 + 8191)).isEqualTo(PAGE + 8191);
  }

  @Test
  void memoryInTwoBanksIsMappedPageByPage() {
    final long seam = 16 * PAGE;
    final long offset = 1L << 40;
    final PhysicalSpace banks =
        (address, bytes, mmio) -> {
          if (address >= seam) {
            return address + offset;
          }
          return address + bytes <= seam ? address : PhysicalSpace.NOTHING;
        };
    final PageTable table = new PageTable(budget, banks);
    assertThat(table.map(0, 32 * PAGE, 0, RW)).isEqualTo(IommuStatus.OK);
    assertThat(Pte.behind(table.walk(seam - 1), seam - 1)).isEqualTo(seam - 1);
    assertThat(Pte.behind(table.walk(seam), seam)).isEqualTo(seam + offset);
    assertThat(Pte.behind(table.walk((32 * PAGE) - 1), (32 * PAGE) - 1))
        .isEqualTo(offset + (32 * PAGE) - 1);
  }

  @Test
  void aTableThatIsTooLargeIsUndone() {
    final PageBudget small = new PageBudget(4);
    final PageTable table = new PageTable(small, ANYTHING);
    assertThat(table.map(GIB, PAGE, 0, RW)).isEqualTo(IommuStatus.OK);
    assertThat(small.used()).isEqualTo(3);
    assertThat(table.map(GIB + PAGE, 2 * MIB2, 0, RW)).isEqualTo(IommuStatus.NOMEM);
    assertThat(small.used()).isEqualTo(3);
    assertThat(table.walk(GIB + PAGE)).isEqualTo(Pte.NONE);
    assertThat(table.walk(GIB)).isNotEqualTo(Pte.NONE);
    assertThat(table.map(1L << 47, PAGE, 0, RW)).isEqualTo(IommuStatus.NOMEM);
    assertThat(small.used()).isEqualTo(3);
  }

  @Test
  void addressesBeyondTheInputAreNotFolded() {
    final PageTable table = new PageTable(budget, ANYTHING);
    assertThat(table.map(0, PAGE, 0, RW)).isEqualTo(IommuStatus.OK);
    assertThat(table.walk(1L << 48)).isEqualTo(Pte.NONE);
    assertThat(table.walk(Long.MIN_VALUE)).isEqualTo(Pte.NONE);
  }
}
