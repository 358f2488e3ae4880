package io.carom.dma.spi;

/**
 * How much bounce memory an instance wants.
 *
 * @param wantedBytes what it would like to have, in all; the core may grant less
 * @param extentBytes size of the extents it wants, a multiple of 256 KiB; smaller ones drain sooner
 * @param limit exclusive upper bound of bus addresses, for RAM
 */
public record ExtentPlan(long wantedBytes, long extentBytes, long limit) {
  /** No bounce memory. */
  public static final ExtentPlan NOTHING = new ExtentPlan(0, Extent.SET_SIZE, 0);
}
