package io.carom.guest.shim.block;

import io.carom.guest.BlockDevice;
import io.carom.pci.PciAddress;
import java.time.Duration;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The disks of the guest and their names: vda, vdb, and on, the lowest free first. Thread-safe. */
public final class DiskRegistry {
  private static final int LETTERS = 26;

  private final BitSet taken = new BitSet();
  private List<BlkDisk> disks = List.of();

  /** Without disks. */
  public DiskRegistry() {}

  /** Takes the lowest free number; {@link #name} makes a name of it. */
  synchronized int takeNumber() {
    final int number = taken.nextClearBit(0);
    taken.set(number);
    return number;
  }

  synchronized void releaseNumber(final int number) {
    taken.clear(number);
  }

  /** The name of a number: vda..vdz, vdaa and on, as the kernel counts. */
  static String name(final int number) {
    final StringBuilder letters = new StringBuilder();
    for (int rest = number; rest >= 0; rest = rest / LETTERS - 1) {
      letters.insert(0, (char) ('a' + rest % LETTERS));
    }
    return "vd" + letters;
  }

  synchronized void add(final BlkDisk disk) {
    disks =
        Stream.concat(disks.stream(), Stream.of(disk))
            .sorted(Comparator.comparingInt(BlkDisk::number))
            .toList();
    notifyAll();
  }

  synchronized void remove(final BlkDisk disk) {
    if (disks.contains(disk)) {
      disks = disks.stream().filter(other -> other != disk).toList();
      taken.clear(disk.number());
    }
  }

  /** The disks, by name. */
  public synchronized List<BlockDevice> disks() {
    return List.copyOf(disks);
  }

  /** A disk by name, serial or PCI address, in this order. */
  public Optional<BlockDevice> find(final String key) {
    final List<BlockDevice> all = disks();
    return all.stream()
        .filter(disk -> disk.name().equals(key))
        .findFirst()
        .or(() -> all.stream().filter(disk -> disk.serial().equals(key)).findFirst())
        .or(() -> all.stream().filter(disk -> sameAddress(disk, key)).findFirst());
  }

  /** Waits for a disk with a serial. */
  public synchronized Optional<BlockDevice> await(final String serial, final Duration timeout) {
    final long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      for (final BlkDisk disk : disks) {
        if (disk.serial().equals(serial) && disk.live()) {
          return Optional.of(disk);
        }
      }
      final long left = deadline - System.nanoTime();
      if (left <= 0) {
        return Optional.empty();
      }
      try {
        // rounded up, so that the last wait is not one of 0, which would be for ever
        wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
      } catch (final InterruptedException e) {
        Thread.currentThread().interrupt();
        return Optional.empty();
      }
    }
  }

  private static boolean sameAddress(final BlockDevice disk, final String key) {
    try {
      return PciAddress.parse(key).withDomain().equals(disk.address());
    } catch (final IllegalArgumentException e) {
      return false;
    }
  }
}
