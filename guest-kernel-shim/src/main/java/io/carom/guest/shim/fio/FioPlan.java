package io.carom.guest.shim.fio;

import static io.carom.guest.shim.fio.SectorDescriptor.SECTOR_BYTES;
import static io.carom.guest.shim.fio.SectorDescriptor.SECTOR_SHIFT;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.FioJob;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * A job that makes sense on a disk, and the phases it falls into: laying out what a verified
 * workload could not verify, the workload, and reading back what it wrote.
 *
 * @param disk the disk
 * @param job the job
 * @param firstSector start of the area
 * @param sectors length of the area
 */
record FioPlan(BlockDevice disk, FioJob job, long firstSector, long sectors) {
  private static final int MAX_BLOCK_BYTES = 1 << 20;
  private static final int MAX_DEPTH = 1024;
  private static final int MAX_JOBS = 64;

  /** Block size and depth of laying out. */
  private static final int LAYOUT_BYTES = 64 << 10;

  private static final int LAYOUT_DEPTH = 16;

  /**
   * Checks a job.
   *
   * @throws IllegalArgumentException with one line when it makes no sense on the disk
   */
  static FioPlan of(final FioJob job, final BlockDevice disk) {
    checkWorkload(job, disk);
    checkRange("iodepth", job.iodepth(), 1, MAX_DEPTH);
    checkRange("numjobs", job.numjobs(), 1, MAX_JOBS);
    checkRange("rwmixread", job.rwmixread(), 0, 100);
    checkTimes(job);
    if (!job.direct() && job.iomem() == FioJob.IoMemory.REACHABLE) {
      throw new IllegalArgumentException(
          "iomem=reachable needs direct=1: buffered I/O does not hand the workload's buffers to the"
              + " device");
    }
    if (job.bsBytes() < SECTOR_BYTES
        || job.bsBytes() > MAX_BLOCK_BYTES
        || job.bsBytes() % SECTOR_BYTES != 0) {
      throw new IllegalArgumentException(
          "bs=" + job.bsBytes() + " is not a multiple of 512 from 512 to 1m");
    }
    final long capacity = disk.capacityBytes();
    final long offset = job.offsetBytes();
    if (offset < 0 || offset % SECTOR_BYTES != 0 || offset >= capacity) {
      throw new IllegalArgumentException(
          "offset="
              + offset
              + " is not a multiple of 512 below the "
              + capacity
              + " bytes of "
              + disk.name());
    }
    final long size = job.sizeBytes() == 0 ? capacity - offset : job.sizeBytes();
    if (size < 0 || size > capacity - offset) {
      throw new IllegalArgumentException(
          "size="
              + job.sizeBytes()
              + " does not fit: "
              + disk.name()
              + " has "
              + (capacity - offset)
              + " bytes from offset="
              + offset);
    }
    final long blocks = size / job.bsBytes();
    final int needed = job.rw().startsWith("rand") ? 1 : job.numjobs();
    if (blocks < needed) {
      throw new IllegalArgumentException(
          "size="
              + size
              + " holds "
              + blocks
              + " blocks of bs="
              + job.bsBytes()
              + ", and numjobs="
              + job.numjobs()
              + " needs "
              + needed
              + "; use a smaller bs");
    }
    return new FioPlan(
        disk, job, offset >>> SECTOR_SHIFT, blocks * (job.bsBytes() >>> SECTOR_SHIFT));
  }

  private static void checkWorkload(final FioJob job, final BlockDevice disk) {
    final String valid = String.join(", ", FioJob.RW);
    if (!FioJob.RW.contains(job.rw())) {
      throw new IllegalArgumentException("rw=" + job.rw() + " is not one of " + valid);
    }
    if (disk.readOnly() && readPercent(job) < 100) {
      throw new IllegalArgumentException(
          "rw=" + job.rw() + ": " + disk.name() + " is read-only; use rw=read or rw=randread");
    }
    if (trims(job) && disk.limits().maxDiscardBytes() == 0) {
      throw new IllegalArgumentException(
          "rw=" + job.rw() + ": " + disk.name() + " has no DISCARD; use rw=write or rw=randwrite");
    }
    if (!disk.live()) {
      throw new IllegalArgumentException("device=" + disk.name() + " is not usable any more");
    }
  }

  private static void checkTimes(final FioJob job) {
    if (job.runtimeMs() < 0) {
      throw new IllegalArgumentException("runtime=" + job.runtimeMs() + " ms is negative");
    }
    if (job.timeBased() && job.runtimeMs() == 0) {
      throw new IllegalArgumentException("time_based needs a runtime; runtime=0 has no end");
    }
  }

  private static void checkRange(
      final String knob, final int value, final int low, final int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          knob + "=" + value + " is not between " + low + " and " + high);
    }
  }

  private static int readPercent(final FioJob job) {
    return switch (job.rw()) {
      case "read", "randread" -> 100;
      case "randrw" -> job.rwmixread();
      default -> 0;
    };
  }

  private static boolean trims(final FioJob job) {
    return job.rw().equals("trim") || job.rw().equals("randtrim");
  }

  /** Whether it discards. */
  boolean trims() {
    return trims(job);
  }

  /**
   * Whether a verified workload must write first: it reads what the ledger cannot verify, or it
   * trims what may be zero already, which would prove nothing.
   */
  boolean needsLayout(final DiskLedger ledger) {
    if (!job.verify() || disk.readOnly()) {
      return false;
    }
    return trims() || (readPercent(job) > 0 && ledger.anyUnverifiable(firstSector, sectors));
  }

  /** Whether a verified workload leaves blocks that nobody has read. */
  boolean needsReadBack() {
    return job.verify() && readPercent(job) < 100;
  }

  /** The job that writes what cannot be verified, or all that will be trimmed. */
  List<JobSpec> layout() {
    final int blockSectors = (int) Math.min(LAYOUT_BYTES >>> SECTOR_SHIFT, sectors);
    final long blocks = (sectors + blockSectors - 1) / blockSectors;
    return List.of(
        new JobSpec(
            "fio-" + disk.name() + "-layout",
            false,
            trims() ? 0 : 100,
            BlockOp.WRITE,
            true,
            true,
            trims() ? JobSpec.Filter.ALL : JobSpec.Filter.UNVERIFIABLE,
            0,
            blockSectors,
            firstSector,
            sectors,
            blocks,
            (int) Math.min(LAYOUT_DEPTH, blocks),
            Long.MAX_VALUE,
            job.seed()));
  }

  /** The workload. */
  List<JobSpec> workload() {
    final boolean random = job.rw().startsWith("rand");
    final long blocks = job.timeBased() ? Long.MAX_VALUE : sectors / blockSectors();
    final long runtimeNs =
        job.runtimeMs() == 0 ? Long.MAX_VALUE : TimeUnit.MILLISECONDS.toNanos(job.runtimeMs());
    return jobs(random, readPercent(job), JobSpec.Filter.ALL, 0, blocks, runtimeNs);
  }

  /** The jobs that read what was changed since a version, each its part of the area. */
  List<JobSpec> readBack(final long since) {
    return jobs(false, 100, JobSpec.Filter.WRITTEN, since, 0, Long.MAX_VALUE);
  }

  /** Random jobs share the area; of the others each has a part of whole blocks of its own. */
  private List<JobSpec> jobs(
      final boolean random,
      final int readPercent,
      final JobSpec.Filter filter,
      final long since,
      final long blocks,
      final long runtimeNs) {
    final long areaBlocks = sectors / blockSectors();
    final int count = (int) Math.min(job.numjobs(), random ? MAX_JOBS : areaBlocks);
    return IntStream.range(0, count)
        .mapToObj(
            i -> {
              // at most 64 parts of less than 2^54 blocks: the products do not overflow
              final long from = random ? 0 : areaBlocks * i / count;
              final long to = random ? areaBlocks : areaBlocks * (i + 1) / count;
              return new JobSpec(
                  "fio-" + disk.name() + "-" + i,
                  random,
                  readPercent,
                  trims() ? BlockOp.DISCARD : BlockOp.WRITE,
                  job.verify(),
                  !disk.readOnly(),
                  filter,
                  since,
                  blockSectors(),
                  firstSector + from * blockSectors(),
                  (to - from) * blockSectors(),
                  blocks == 0 ? to - from : blocks,
                  job.iodepth(),
                  runtimeNs,
                  Mix.mix(job.seed(), i));
            })
        .toList();
  }

  private int blockSectors() {
    return job.bsBytes() >>> SECTOR_SHIFT;
  }
}
