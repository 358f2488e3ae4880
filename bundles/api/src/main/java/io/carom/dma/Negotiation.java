package io.carom.dma;

/**
 * What a device's feature negotiation allows its DMA to be.
 *
 * @param swiotlb VIRTIO_F_SWIOTLB was accepted: every address must lie in the device's region
 * @param accessPlatform VIRTIO_F_ACCESS_PLATFORM was accepted: addresses may be translated
 */
public record Negotiation(boolean swiotlb, boolean accessPlatform) {
  /** Nothing negotiated: system memory, untranslated. */
  public static final Negotiation NONE = new Negotiation(false, false);
}
