package io.carom.dma.core.debug;

/** Whether the driver asked if the map had failed, under the kernel's words. */
enum MapError {
  NOT_APPLICABLE("dma map error check not applicable"),
  NOT_CHECKED("dma map error not checked"),
  CHECKED("dma map error checked");

  private final String text;

  MapError(final String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
