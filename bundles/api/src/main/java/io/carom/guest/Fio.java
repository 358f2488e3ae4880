package io.carom.guest;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Runs workloads on the guest's disks: a service of the shim. Thread-safe; several workloads may
 * run at once, also on one disk.
 *
 * <p>For verification the shim keeps, per disk, what was last acknowledged for each sector. A
 * sector that nobody has described yet is written once before a verified workload reads it.
 */
@ProviderType
public interface Fio {
  /**
   * Runs a workload to its end, on the caller's thread and workers of its own.
   *
   * @throws IllegalArgumentException for a job that makes no sense on the disk; one line
   * @throws InterruptedException when the caller was interrupted; the workload was stopped
   */
  FioResult run(FioJob job, FioProgress progress) throws InterruptedException;

  /**
   * Describes a disk's present content: from now on every sector of it must hold these bytes until
   * it is written. For read-only disks, and to compare a disk with a file.
   *
   * @param device disk name
   * @param content the disk's bytes
   */
  void describe(String device, MemorySegment content);

  /**
   * Fills memory with identified sectors, as a verified workload would have written them: an image
   * to start from. Describing the image to {@link #describe} is not needed for such sectors.
   *
   * @param image bytes of the image, a multiple of 512
   * @param seed seed of the contents
   */
  void identify(MemorySegment image, long seed);

  /** Forgets what is known of a disk's content. */
  void forget(String device);
}
