package io.carom.shell.service;

import io.carom.dma.DmaControl;
import io.carom.guest.Fio;
import io.carom.guest.GuestKernel;
import io.carom.guest.PageCache;
import io.carom.virtio.VirtioHost;
import org.osgi.framework.Bundle;

/**
 * The services that commands work with, looked up at the moment of use: any of them may go and come
 * back between two calls.
 *
 * <p>Each method throws {@link IllegalStateException} with one line when its service is not there.
 */
public interface ShellServices {
  /** The VMM's devices. */
  VirtioHost virtio();

  /** The DMA core. */
  DmaControl dma();

  /** The guest kernel. */
  GuestKernel guest();

  /** The workload runner. */
  Fio fio();

  /** The guest's page cache. */
  PageCache pageCache();

  /** An installed bundle. */
  Bundle bundle(String symbolicName);
}
