package io.carom.machine.platform;

import io.carom.machine.ram.PageStates;
import io.carom.memory.PhysicalLayout;

/**
 * Memory encryption by address: who accesses a page with the bit goes through the cipher, who
 * accesses it without does not.
 *
 * <p>CPUs use the bit for every page but those that the guest has shared, so a page holds ciphertext
 * until it is shared. A device whose address has the bit where the CPUs' have it sees what CPUs see;
 * any other sees it scrambled, and what it writes CPUs read scrambled. RAM holds here what CPUs see,
 * and the device's view is computed; so what was in a page survives sharing, as if the guest had
 * decrypted it in place.
 *
 * <p>A device whose mask does not reach the bit cannot use private memory where it is: the bus
 * address lies above its mask, and what checks masks has it bounced.
 *
 * <p>The cipher is an exclusive or with a function of the address: it leaks what a real one does
 * not, and shows all the same whether a device used the right address.
 */
final class EncryptionBit implements Stage {
  private static final long PAGE = PhysicalLayout.PAGE_SIZE;
  private static final long KEY = 0x9E37_79B9_7F4A_7C15L;

  private final int position;
  private final long bit;
  private final PageStates decrypted;

  /**
   * No page is shared.
   *
   * @param position of the bit in addresses, above all that RAM has without it
   */
  EncryptionBit(final int position, final long ramBytes) {
    this.position = position;
    this.bit = 1L << position;
    this.decrypted = new PageStates(ramBytes, true);
  }

  @Override
  public long toBus(
      final long address, final long offset, final long size, final boolean shared) {
    // A private caller may hold memory that is shared, such as pages lent to it.
    return address < 0 || shared || decrypted.shared(offset, size) ? address : address | bit;
  }

  @Override
  public long toPhysical(final long address, final long size) {
    return address & ~bit;
  }

  /** Pages are shared, by their number in RAM. */
  void share(final long first, final long count) {
    decrypted.share(first, count);
  }

  /** Pages are private again. */
  void unshare(final long first, final long count) {
    decrypted.unshare(first, count);
  }

  /** Whether an address has the bit. */
  boolean isSet(final long busAddress) {
    return (busAddress & bit) != 0;
  }

  /** Whether who addresses all of a run with or without the bit sees what CPUs see. */
  boolean agrees(final boolean withBit, final long offset, final long length) {
    if (!withBit) {
      return decrypted.shared(offset, length);
    }
    for (long at = offset; at < offset + length; at = (at | (PAGE - 1)) + 1) {
      if (decrypted.shared(at, 1)) {
        return false;
      }
    }
    return true;
  }

  /** What a byte of RAM is combined with by the cipher; the same both ways. */
  static byte pad(final long offset) {
    long word = ((offset >>> 3) + 1) * KEY; // a step of the generator that spreads the bits
    word = (word ^ (word >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
    word = (word ^ (word >>> 27)) * 0x94D0_49BB_1331_11EBL;
    return (byte) ((word ^ (word >>> 31)) >>> ((offset & 7) << 3));
  }

  @Override
  public String text() {
    return "encryption bit " + position;
  }
}
