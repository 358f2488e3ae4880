package io.carom.shell.text;

import io.carom.dma.PoolOccupancy;
import io.carom.shell.result.PoolMaps;
import java.util.Map;
import java.util.stream.Collectors;

/** Pictures of pools, with legends. */
final class PoolMapText {
  private static final int SLOT_BYTES = 2048;

  private PoolMapText() {}

  static String text(final PoolMaps maps) {
    return maps.pools().isEmpty()
        ? "no pools of bounce memory"
        : maps.pools().stream()
            .map(pool -> text(pool, maps.names(), maps.columns()))
            .collect(Collectors.joining("\n\n"));
  }

  private static String text(
      final PoolOccupancy pool, final Map<String, String> names, final int columns) {
    final SlotOwners owners = SlotOwners.of(pool);
    final long slots = pool.extents().stream().mapToLong(PoolOccupancy.Run::slots).sum();
    final long used = owners.used();
    final StringBuilder out = new StringBuilder();
    out.append(pool.pool())
        .append(": ")
        .append(slots)
        .append(" slots of 2 KiB in ")
        .append(pool.extents().size())
        .append(" extents, ")
        .append(used)
        .append(" used");
    if (slots == 0) {
      return out.toString();
    }
    final PoolPicture picture = new PoolPicture(pool, owners, columns);
    final long scale = picture.slotsPerCell();
    out.append("\n1 character = ")
        .append(scale)
        .append(scale == 1 ? " slot (" : " slots (")
        .append(Values.bytes(scale * SLOT_BYTES))
        .append(")\n\n")
        .append(picture.text())
        .append("\n\n.  ")
        .append(Math.max(0, slots - used)) // a torn snapshot may count a slot twice
        .append(" slots free");
    for (final SlotOwners.Owner owner : owners.all()) {
      out.append('\n')
          .append(owner.symbol())
          .append("  ")
          .append(owner.slots())
          .append(" slots ")
          .append(meaning(owner, names));
    }
    if (scale > 1 && used > 0) {
      out.append("\na capital letter: all slots of the character are in use; a small one: some");
    }
    return out.toString();
  }

  private static String meaning(final SlotOwners.Owner owner, final Map<String, String> names) {
    final String known = names.get(owner.name());
    final String name =
        known == null || known.equals(owner.name())
            ? owner.name()
            : owner.name() + " (" + known + ")";
    return switch (owner.use()) {
      case SlotOwners.BOUNCE -> "of mappings of " + name;
      case SlotOwners.REACHABLE -> "reachable: I/O buffers of the driver of " + name;
      case SlotOwners.LENT -> "lent to " + name;
      default -> owner.use() + " of " + name;
    };
  }
}
