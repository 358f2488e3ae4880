package io.carom.iommu;

import java.io.Serial;

/** The IOMMU refused a request. */
public final class IommuException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * A refusal.
   *
   * @param what what was asked, in words
   * @param status one of {@link IommuStatus}
   */
  public IommuException(final String what, final int status) {
    super(what + ": " + IommuStatus.name(status));
    this.status = status;
  }

  /** Why, one of {@link IommuStatus}. */
  public int status() {
    return status;
  }
}
