package io.carom.shell.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.PoolOccupancy;
import io.carom.dma.PoolOccupancy.Run;
import io.carom.shell.result.PoolMaps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PoolMapTextTest {
  private static final long BASE = 0x1000000;

  @Test
  void drawsSlotsByOwner() {
    final PoolOccupancy pool =
        new PoolOccupancy(
            "swiotlb-fixed",
            List.of(run(BASE, 128, "area 0", "EXTENT"), run(BASE << 1, 3, "area 0", "EXTENT")),
            List.of(
                run(BASE + 2048, 2, "0000:00:05.0", "BOUNCE"),
                run(BASE + 4 * 2048, 3, "0000:00:04.0", "BOUNCE"),
                run(BASE + 64 * 2048, 2, "0000:00:04.0", "REACHABLE"),
                run(BASE + 127 * 2048, 1, "lent", "LENT"),
                run(BASE << 1, 3, "0000:00:04.0", "BOUNCE")));
    assertThat(text(pool, 80))
        .isEqualTo(
            """
            swiotlb-fixed: 131 slots of 2 KiB in 2 extents, 11 used
            1 character = 1 slot (2 KiB)

            0x1000000  .BB.AAA.........................................................
            0x1020000  ==.............................................................~
            0x2000000  AAA

            .  120 slots free
            A  6 slots of mappings of 0000:00:04.0 (vda)
            B  2 slots of mappings of 0000:00:05.0
            =  2 slots reachable: I/O buffers of the driver of 0000:00:04.0 (vda)
            ~  1 slots lent to movable memory, until they are wanted back\
            """);
  }

  @Test
  void scalesLargePoolsToTheScreen() {
    final PoolOccupancy pool =
        new PoolOccupancy(
            "p",
            List.of(run(BASE, 32768, "area 0", "EXTENT")),
            List.of(
                run(BASE, 16, "a", "BOUNCE"), run(BASE + 16 * 2048, 15, "a", "BOUNCE"),
                run(BASE + 31 * 2048, 1, "b", "BOUNCE"), run(BASE + 47 * 2048, 1, "b", "BOUNCE")));
    final String[] lines = text(pool, 80).split("\n");
    assertThat(lines[1]).isEqualTo("1 character = 16 slots (32 KiB)");
    assertThat(lines[3]).startsWith("0x1000000  AAb....").hasSize(11 + 64);
    assertThat(lines[34]).startsWith("0x4e00000  ....");
    assertThat(lines[35]).isEmpty();
    assertThat(lines[lines.length - 1])
        .isEqualTo("a capital letter: all slots of the character are in use; a small one: some");
  }

  @Test
  void fitsAnyTerminalAndLosesNoSlot() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    final SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 200; round++) {
      final int columns = random.nextInt(40, 301);
      final PoolOccupancy pool = pool(random);
      final List<String> lines = text(pool, columns).lines().toList();
      final List<String> picture = lines.subList(3, end(lines));
      final String what = "seed " + seed + ", round " + round;
      assertThat(picture)
          .as(what)
          .hasSizeLessThanOrEqualTo(Math.max(32, pool.extents().size() / 16));
      assertThat(picture).as(what).allMatch(line -> line.length() <= columns);
      final boolean anyUsed = !pool.runs().isEmpty();
      assertThat(picture.stream().anyMatch(line -> line.substring(13).matches(".*[A-Za-z#].*")))
          .as(what)
          .isEqualTo(anyUsed);
    }
  }

  @Test
  void saysThatThereIsNothing() {
    assertThat(PoolMapText.text(new PoolMaps(List.of(), Map.of(), 80)))
        .isEqualTo("no pools of bounce memory");
    assertThat(text(new PoolOccupancy("p", List.of(), List.of()), 80))
        .isEqualTo("p: 0 slots of 2 KiB in 0 extents, 0 used");
  }

  private static int end(final List<String> lines) {
    return 3 + lines.subList(3, lines.size()).indexOf("");
  }

  private static PoolOccupancy pool(final SplittableRandom random) {
    final List<Run> extents = new ArrayList<>();
    final List<Run> runs = new ArrayList<>();
    long address = 0x8000000000L;
    for (int i = random.nextInt(1, 400); i > 0; i--) {
      final long slots =
          random.nextInt(8) == 0 ? random.nextInt(1, 129) : random.nextInt(1, 40) * 128L;
      extents.add(run(address, slots, "area 0", "EXTENT"));
      for (long slot = random.nextInt(200); slot < slots; slot += random.nextInt(1, 4000)) {
        runs.add(run(address + slot * 2048, 1, "device " + random.nextInt(40), "BOUNCE"));
      }
      address += slots * 2048 + random.nextInt(2) * (1L << 20);
    }
    return new PoolOccupancy("p", extents, runs);
  }

  private static Run run(
      final long address, final long slots, final String owner, final String use) {
    return new Run("0x" + Long.toHexString(address), slots, owner, use);
  }

  private static String text(final PoolOccupancy pool, final int columns) {
    return PoolMapText.text(new PoolMaps(List.of(pool), Map.of("0000:00:04.0", "vda"), columns));
  }
}
