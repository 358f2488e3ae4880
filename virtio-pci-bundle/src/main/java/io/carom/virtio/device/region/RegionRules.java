package io.carom.virtio.device.region;

import io.carom.pci.PciAddress;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.DmbDescriptor;
import io.carom.virtio.RegionCaching;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.RegionOptions.Addressing;
import io.carom.virtio.RegionOptions.Location;
import io.carom.virtio.RegionOptions.Mixing;
import io.carom.virtio.RegionSizing;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import org.jspecify.annotations.Nullable;

/** Which settings of a region go together. Whatever does not is one line. */
public final class RegionRules {
  /** Largest region: half of what a 32-bit capability length can say, as a BAR is a power of 2. */
  public static final long MAX_BYTES = 1L << 31;

  private static final int FEATURE_BITS = Long.SIZE;
  private static final int MAX_SHM_ID = 0xff;

  private RegionRules() {}

  /**
   * Checks the settings of a region by themselves.
   *
   * @param slot where the device is to sit, or null
   * @throws IllegalArgumentException with one line that names the value, the rule and the knob
   */
  public static void check(
      final RegionOptions options,
      final int queues,
      final int queueSize,
      final @Nullable String slot) {
    if (!options.present()) {
      absent(options);
      return;
    }
    size(options, queues, queueSize);
    if (options.dmb().offered()) {
      dmb(options);
    }
    if (options.addressing() == Addressing.OFFSET && !options.swiotlbOffered()) {
      throw refused("addressing=offset needs a feature that says so: set policy=compat or strict");
    }
    if (options.location() == Location.RAM && options.caching() != RegionCaching.WRITEBACK) {
      throw refused(
          "caching="
              + word(options.caching())
              + " is for a BAR: RAM is cached; set"
              + " regionLocation=bar");
    }
    if (options.caching() == RegionCaching.WRITEBACK
        && (options.readLineNs() | options.writeLineNs()) != 0) {
      throw refused(
          "readLineNs and writeLineNs cost nothing with caching=writeback: set"
              + " caching=write-combining or uncached");
    }
    if (options.group() != null) {
      group(options, slot);
    } else if (options.sharers() != 1) {
      throw refused(
          "regionFunctions=" + options.sharers() + " is about a shared region: set regionGroup");
    }
  }

  private static void absent(final RegionOptions options) {
    final String knob;
    if (options.addressing() != Addressing.BUS) {
      knob = "addressing=offset";
    } else if (options.location() != Location.BAR) {
      knob = "regionLocation=ram";
    } else if (options.group() != null) {
      knob = "regionGroup=" + options.group();
    } else if (options.scrubOnReset()) {
      knob = "scrubOnReset=true";
    } else if (options.mixing() != Mixing.FREE) {
      knob = "mixing=all-or-nothing";
    } else if (options.caching() != RegionCaching.WRITEBACK) {
      knob = "caching=" + word(options.caching());
    } else {
      return;
    }
    throw refused(
        knob
            + " is about a region, and policy=none has none: set policy=hint, compat or"
            + " strict, or leave it out");
  }

  private static void size(final RegionOptions options, final int queues, final int queueSize) {
    final long size = options.bytes();
    // each function of a group has an equal part
    final long least = options.sharers() * RegionSizing.minimumBytes(queues, queueSize);
    if (size < least) {
      throw refused(
          "regionBytes="
              + size
              + " is too small for queues="
              + queues
              + ", queueSize="
              + queueSize
              + ": the least is "
              + least
              + "; raise regionBytes, or lower queues or queueSize");
    }
    if (size % RegionSizing.SET_BYTES != 0 || size > MAX_BYTES) {
      throw refused(
          "regionBytes="
              + size
              + " is not a multiple of "
              + RegionSizing.SET_BYTES
              + " (256 KiB) of at most "
              + MAX_BYTES);
    }
  }

  private static void dmb(final RegionOptions options) {
    final String mode = "dmb=" + word(options.dmb().mode());
    if (options.policy() != SwiotlbPolicy.NONE) {
      throw refused(
          mode
              + " and policy="
              + word(options.policy())
              + " both say what addresses are: set policy=none with dmb, or dmb=off");
    }
    if (options.location() != Location.BAR || options.group() != null) {
      throw refused(
          mode
              + " has a shared memory region of its own BAR: leave regionLocation and regionGroup"
              + " out");
    }
    if (options.caching() != RegionCaching.WRITEBACK) {
      throw refused(
          mode
              + " has ordinary cacheable memory, for which caching="
              + word(options.caching())
              + " is no substitute: set caching=writeback");
    }
    final int register = options.dmb().register();
    if (register < CommonCfgDescriptor.FULL_SIZE || register > DmbDescriptor.MAX_SHM_ID_REGISTER) {
      throw refused(
          "dmbRegister="
              + register
              + " is not behind the other fields of the common configuration: use "
              + CommonCfgDescriptor.FULL_SIZE
              + ".."
              + DmbDescriptor.MAX_SHM_ID_REGISTER);
    }
    if (options.dmb().shmId() < 0 || options.dmb().shmId() > MAX_SHM_ID) {
      throw refused("dmbShmId=" + options.dmb().shmId() + " is not in 0.." + MAX_SHM_ID);
    }
  }

  private static void group(final RegionOptions options, final @Nullable String slot) {
    final String group = "regionGroup=" + options.group();
    if (slot == null) {
      throw refused(
          group
              + " needs slot: function 0 of a device has the region, such as slot=00:05.0, and"
              + " slot=00:05.1 shares it");
    }
    if (options.location() != Location.BAR) {
      throw refused(group + " is about the BAR of a function: set regionLocation=bar");
    }
    if (options.scrubOnReset()) {
      throw refused(
          group
              + " and scrubOnReset=true: the reset of one function would wipe the others' memory;"
              + " leave one out");
    }
    if (options.caching() != RegionCaching.WRITEBACK) {
      throw refused(group + " needs caching=writeback: the functions see each other's bytes");
    }
    final int function = PciAddress.parse(slot).function();
    if (options.sharers() < 2 || function >= options.sharers()) {
      throw refused(
          "regionFunctions="
              + options.sharers()
              + " does not hold function "
              + function
              + " of slot="
              + slot
              + ": "
              + group
              + " needs 2..8, more than the highest function's number");
    }
  }

  /**
   * Checks the numbers of the feature bits against everything else that a device offers.
   *
   * @param others what it offers besides
   * @throws IllegalArgumentException with one line
   */
  public static void checkBits(final RegionOptions options, final int type, final long others) {
    if (options.swiotlbOffered()) {
      bit("swiotlbBit", options.swiotlbBit(), VirtioFeatures.SWIOTLB_BIT, type, others);
    }
    if (options.dmb().offered()) {
      if ((others & VirtioFeatures.ACCESS_PLATFORM) == 0) {
        throw refused(
            "dmb="
                + word(options.dmb().mode())
                + " must not be offered without ACCESS_PLATFORM: offer that too");
      }
      bit("dmbBit", options.dmb().bit(), DmbDescriptor.DEFAULT_BIT, type, others);
    }
  }

  private static void bit(
      final String knob, final int bit, final int usual, final int type, final long others) {
    if (bit < 0 || bit >= FEATURE_BITS) {
      throw refused(knob + "=" + bit + " is not in 0.." + (FEATURE_BITS - 1));
    }
    final String name = VirtioFeatures.name(type, bit);
    final boolean named = bit != usual && !name.equals("bit " + bit);
    if (named && bit != VirtioFeatures.SWIOTLB_BIT || (others >>> bit & 1) != 0) {
      throw refused(
          knob + "=" + bit + " collides with " + name + ": choose another, such as " + usual);
    }
  }

  private static IllegalArgumentException refused(final String line) {
    return new IllegalArgumentException(line);
  }

  private static String word(final Enum<?> constant) {
    return constant.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }
}
