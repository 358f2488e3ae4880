package io.carom.guest;

import java.util.List;

/**
 * A workload, in fio's words.
 *
 * <p>{@code trim} and {@code randtrim} discard. A disk need not say what discarded sectors read;
 * with {@code verify} they must read as zero, byte by byte, as those of Carom's block devices do.
 * What they held is overwritten first, so that zero is not what was there anyway.
 *
 * @param device disk name
 * @param rw one of {@link #RW}
 * @param bsBytes block size, a multiple of 512
 * @param iodepth requests in flight per job, 1..1024
 * @param numjobs threads, 1..64
 * @param offsetBytes where the area starts
 * @param sizeBytes bytes each job transfers, and the length of the area; 0 for the whole disk
 * @param runtimeMs longest run, 0 for no limit
 * @param timeBased run until {@code runtimeMs} however much was transferred
 * @param verify whether each block carries its identity and is checked
 * @param rwmixread percentage of reads in mixed workloads
 * @param seed seed of the random offsets and contents
 * @param direct false for buffered I/O, through the page cache; a job then has one request in
 *     flight, as buffered I/O waits within submission
 * @param iomem where the buffers lie
 */
public record FioJob(
    String device,
    String rw,
    int bsBytes,
    int iodepth,
    int numjobs,
    long offsetBytes,
    long sizeBytes,
    long runtimeMs,
    boolean timeBased,
    boolean verify,
    int rwmixread,
    long seed,
    boolean direct,
    IoMemory iomem) {
  /** The workloads; those that trim need a disk with DISCARD. */
  public static final List<String> RW =
      List.of("read", "write", "trim", "randread", "randwrite", "randtrim", "randrw");

  /** Where the I/O buffers of a workload lie, fio's {@code iomem}. */
  public enum IoMemory {
    /** In ordinary pages. */
    MALLOC,
    /**
     * In memory that the disk's device reaches without a copy, as far as there is any, see {@link
     * BlockDevice#allocateBuffer}.
     */
    REACHABLE
  }

  /** A job with direct I/O from ordinary pages. */
  public FioJob(
      final String device,
      final String rw,
      final int bsBytes,
      final int iodepth,
      final int numjobs,
      final long offsetBytes,
      final long sizeBytes,
      final long runtimeMs,
      final boolean timeBased,
      final boolean verify,
      final int rwmixread,
      final long seed) {
    this(
        device,
        rw,
        bsBytes,
        iodepth,
        numjobs,
        offsetBytes,
        sizeBytes,
        runtimeMs,
        timeBased,
        verify,
        rwmixread,
        seed,
        true,
        IoMemory.MALLOC);
  }

  /** The shortest way to a job: 4 KiB, depth 32, one job, verified, no limits. */
  public static FioJob of(final String device, final String rw) {
    return new FioJob(device, rw, 4096, 32, 1, 0, 0, 0, false, true, 50, 1);
  }

  /** This job, running for a time. */
  public FioJob forMillis(final long millis) {
    return new FioJob(
        device,
        rw,
        bsBytes,
        iodepth,
        numjobs,
        offsetBytes,
        sizeBytes,
        millis,
        true,
        verify,
        rwmixread,
        seed,
        direct,
        iomem);
  }

  /** This job with another block size. */
  public FioJob withBlockSize(final int bytes) {
    return new FioJob(
        device,
        rw,
        bytes,
        iodepth,
        numjobs,
        offsetBytes,
        sizeBytes,
        runtimeMs,
        timeBased,
        verify,
        rwmixread,
        seed,
        direct,
        iomem);
  }

  /** This job with another depth and number of jobs. */
  public FioJob withDepth(final int depth, final int jobs) {
    return new FioJob(
        device,
        rw,
        bsBytes,
        depth,
        jobs,
        offsetBytes,
        sizeBytes,
        runtimeMs,
        timeBased,
        verify,
        rwmixread,
        seed,
        direct,
        iomem);
  }

  /** This job on an area. */
  public FioJob withArea(final long offset, final long size) {
    return new FioJob(
        device, rw, bsBytes, iodepth, numjobs, offset, size, runtimeMs, timeBased, verify,
        rwmixread, seed, direct, iomem);
  }

  /** This job with or without verification. */
  public FioJob withVerify(final boolean on) {
    return new FioJob(
        device,
        rw,
        bsBytes,
        iodepth,
        numjobs,
        offsetBytes,
        sizeBytes,
        runtimeMs,
        timeBased,
        on,
        rwmixread,
        seed,
        direct,
        iomem);
  }

  /** This job with another seed. */
  public FioJob withSeed(final long value) {
    return new FioJob(
        device,
        rw,
        bsBytes,
        iodepth,
        numjobs,
        offsetBytes,
        sizeBytes,
        runtimeMs,
        timeBased,
        verify,
        rwmixread,
        value,
        direct,
        iomem);
  }

  /** This job with direct or buffered I/O. */
  public FioJob withDirect(final boolean on) {
    return new FioJob(
        device,
        rw,
        bsBytes,
        iodepth,
        numjobs,
        offsetBytes,
        sizeBytes,
        runtimeMs,
        timeBased,
        verify,
        rwmixread,
        seed,
        on,
        iomem);
  }

  /** This job with other buffers. */
  public FioJob withIomem(final IoMemory memory) {
    return new FioJob(
        device,
        rw,
        bsBytes,
        iodepth,
        numjobs,
        offsetBytes,
        sizeBytes,
        runtimeMs,
        timeBased,
        verify,
        rwmixread,
        seed,
        direct,
        memory);
  }
}
