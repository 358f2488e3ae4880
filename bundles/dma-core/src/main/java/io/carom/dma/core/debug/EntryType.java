package io.carom.dma.core.debug;

/** What made an entry, under the kernel's names. */
enum EntryType {
  SINGLE("single"),
  SG("scatter-gather"),
  COHERENT("coherent"),
  RESOURCE("resource");

  private final String text;

  EntryType(final String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
