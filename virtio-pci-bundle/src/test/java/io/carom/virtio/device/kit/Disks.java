package io.carom.virtio.device.kit;

import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.device.blk.BlkBackend;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import io.carom.virtio.device.type.ErrorLog;

/** Disks for tests. */
public final class Disks {
  public static final int SECTORS = 64;
  public static final int QUEUE_SIZE = 256;
  public static final int REGION_BYTES = 1 << 20;

  private Disks() {}

  public static ErrorLog quiet() {
    return new ErrorLog("test", () -> 0);
  }

  public static BlkDevice memory(final boolean readOnly, final int queues) {
    return over(new MemoryBackend(SECTORS * 512L), readOnly, queues);
  }

  public static BlkDevice over(final BlkBackend backend, final boolean readOnly, final int queues) {
    return new BlkDevice("disk0", backend, readOnly, queues, QUEUE_SIZE, quiet());
  }

  public static Driver drive(final SwiotlbPolicy policy) {
    return drive(policy, memory(false, 1), WorkerOptions.manual());
  }

  public static Driver drive(
      final SwiotlbPolicy policy, final BlkDevice device, final WorkerOptions options) {
    final FakeBus bus = new FakeBus(policy == SwiotlbPolicy.NONE ? 0 : REGION_BYTES);
    final VirtioFunctionBuilder builder =
        new VirtioFunctionBuilder("disk0", device).workers(options).errors(quiet()).policy(policy);
    if (policy != SwiotlbPolicy.NONE) {
      builder.region(bus.region);
    }
    return new Driver(builder.build(), bus);
  }
}
