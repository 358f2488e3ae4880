package io.carom.iommu;

/** Status of a virtio-iommu request (virtio 1.4, section IOMMU device, Device operations). */
public final class IommuStatus {
  /** Done. */
  public static final int OK = 0;

  /** Virtio communication error; also what the driver takes an answer without a tail for. */
  public static final int IOERR = 1;

  /** Unsupported request. */
  public static final int UNSUPP = 2;

  /** Internal device error. */
  public static final int DEVERR = 3;

  /** Invalid parameters. */
  public static final int INVAL = 4;

  /** Out-of-range parameters. */
  public static final int RANGE = 5;

  /** Entry not found. */
  public static final int NOENT = 6;

  /** Bad address. */
  public static final int FAULT = 7;

  /** Insufficient resources. */
  public static final int NOMEM = 8;

  private static final String[] NAMES = {
    "OK", "IOERR", "UNSUPP", "DEVERR", "INVAL", "RANGE", "NOENT", "FAULT", "NOMEM"
  };

  private IommuStatus() {}

  /** Its name, such as {@code RANGE}; the number for one that is not defined. */
  public static String name(final int status) {
    return status >= 0 && status < NAMES.length ? NAMES[status] : Integer.toString(status);
  }
}
