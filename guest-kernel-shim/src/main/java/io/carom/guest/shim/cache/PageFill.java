package io.carom.guest.shim.cache;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.memory.PhysicalLayout;
import io.carom.virtio.BlkDescriptor;

/** The read that fills a page. */
final class PageFill implements BlockRequest.Completion {
  private final PageStore store;
  private final Page page;

  private PageFill(final PageStore store, final Page page) {
    this.store = store;
    this.page = page;
  }

  /** Starts it; however it ends, also when the disk refuses it, the store learns of it. */
  static void start(
      final BlockDevice disk, final PageStore store, final Page page, final int bytes) {
    final PageFill fill = new PageFill(store, page);
    final BlockRequest request = new BlockRequest();
    request.op = BlockOp.READ;
    request.sector = page.index * (PhysicalLayout.PAGE_SIZE / BlkDescriptor.SECTOR);
    request.buffer = page.frame.address; // nobody moves it while it is filling
    request.length = bytes;
    request.context = page.disk;
    request.completion = fill;
    try {
      disk.submit(request);
    } catch (final RuntimeException e) {
      store.filled(page, false); // the reader goes to the disk itself and hears why
    }
  }

  @Override
  public void completed(final BlockRequest request, final BlockStatus status) {
    store.filled(page, status == BlockStatus.OK);
  }
}
