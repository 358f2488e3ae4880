package io.carom.pci;

/**
 * The MSI-X structure that the bus puts into a function.
 *
 * @param vectors 1..2048
 * @param bar index of the register BAR that holds table and pending bits
 * @param tableOffset offset of the table, a multiple of 8
 * @param pbaOffset offset of the pending bit array, a multiple of 8
 */
public record MsixSpec(int vectors, int bar, int tableOffset, int pbaOffset) {
  /** Checks the ranges (PCI 3.0 section 6.8.2). */
  public MsixSpec {
    if (vectors < 1 || vectors > 2048) {
      throw new IllegalArgumentException("MSI-X vectors " + vectors + " not in 1..2048");
    }
    if ((tableOffset & 7) != 0 || (pbaOffset & 7) != 0) {
      throw new IllegalArgumentException("MSI-X table or PBA offset is not a multiple of 8");
    }
  }
}
