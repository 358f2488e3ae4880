package io.carom.virtio.device.transport;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import org.jspecify.annotations.Nullable;

/**
 * The common configuration structure (virtio 1.4, section Common configuration structure layout):
 * which bytes belong to which field. What a field means is the {@link DeviceCore}'s.
 *
 * <p>A driver must access a field in its own width, a 64-bit field as two halves in any order. This
 * takes any aligned access: one of a part of a field changes that part, one over several fields
 * acts on each, the lowest first. Read-only fields and what lies behind the structure ignore
 * writes. A field that belongs to a feature which was not negotiated reads 0 and ignores writes;
 * there are no administration queues, so theirs always do.
 */
final class CommonConfig {
  private static final int[] STARTS = {
    CommonCfgDescriptor.DEVICE_FEATURE_SELECT,
    CommonCfgDescriptor.DEVICE_FEATURE,
    CommonCfgDescriptor.DRIVER_FEATURE_SELECT,
    CommonCfgDescriptor.DRIVER_FEATURE,
    CommonCfgDescriptor.CONFIG_MSIX_VECTOR,
    CommonCfgDescriptor.NUM_QUEUES,
    CommonCfgDescriptor.DEVICE_STATUS,
    CommonCfgDescriptor.CONFIG_GENERATION,
    CommonCfgDescriptor.QUEUE_SELECT,
    CommonCfgDescriptor.QUEUE_SIZE,
    CommonCfgDescriptor.QUEUE_MSIX_VECTOR,
    CommonCfgDescriptor.QUEUE_ENABLE,
    CommonCfgDescriptor.QUEUE_NOTIFY_OFF,
    CommonCfgDescriptor.QUEUE_DESC,
    CommonCfgDescriptor.QUEUE_DRIVER,
    CommonCfgDescriptor.QUEUE_DEVICE,
    CommonCfgDescriptor.QUEUE_NOTIF_CONFIG_DATA,
    CommonCfgDescriptor.QUEUE_RESET,
    CommonCfgDescriptor.ADMIN_QUEUE_INDEX,
    CommonCfgDescriptor.ADMIN_QUEUE_NUM,
    CommonCfgDescriptor.FULL_SIZE
  };

  /** For each byte, the index in {@link #STARTS} of its field. */
  private static final int[] FIELD_OF = new int[CommonCfgDescriptor.FULL_SIZE];

  static {
    for (int field = 0; field + 1 < STARTS.length; field++) {
      for (int i = STARTS[field]; i < STARTS[field + 1]; i++) {
        FIELD_OF[i] = field;
      }
    }
  }

  private static final long U32 = 0xffff_ffffL;

  private final DeviceCore core;
  private final FeatureNegotiation features;

  CommonConfig(final DeviceCore core) {
    this.core = core;
    features = core.features();
  }

  long read(final int offset, final int width) {
    long value = 0;
    int done = 0;
    while (done < width && offset + done < CommonCfgDescriptor.FULL_SIZE) {
      final int field = FIELD_OF[offset + done];
      final int skip = offset + done - STARTS[field];
      final int bytes = Math.min(STARTS[field + 1] - STARTS[field] - skip, width - done);
      value |= (get(STARTS[field]) >>> (8 * skip) & mask(bytes)) << (8 * done);
      done += bytes;
    }
    return value;
  }

  void write(final int offset, final int width, final long value) {
    int done = 0;
    while (done < width && offset + done < CommonCfgDescriptor.FULL_SIZE) {
      final int field = FIELD_OF[offset + done];
      final int length = STARTS[field + 1] - STARTS[field];
      final int skip = offset + done - STARTS[field];
      final int bytes = Math.min(length - skip, width - done);
      final long part = value >>> (8 * done) & mask(bytes);
      if (bytes == length) {
        put(STARTS[field], part);
      } else {
        final long kept = get(STARTS[field]) & ~(mask(bytes) << (8 * skip));
        put(STARTS[field], kept | part << (8 * skip));
      }
      done += bytes;
    }
  }

  private static long mask(final int bytes) {
    return bytes == Long.BYTES ? -1L : (1L << (8 * bytes)) - 1;
  }

  private long get(final int field) {
    core.enter();
    try {
      return switch (field) {
        case CommonCfgDescriptor.DEVICE_FEATURE_SELECT -> features.deviceSelect() & U32;
        case CommonCfgDescriptor.DEVICE_FEATURE -> features.deviceFeature() & U32;
        case CommonCfgDescriptor.DRIVER_FEATURE_SELECT -> features.driverSelect() & U32;
        case CommonCfgDescriptor.DRIVER_FEATURE -> features.driverFeature() & U32;
        case CommonCfgDescriptor.CONFIG_MSIX_VECTOR -> core.interrupts().configVector();
        case CommonCfgDescriptor.NUM_QUEUES -> core.queues().count();
        case CommonCfgDescriptor.DEVICE_STATUS -> core.status();
        case CommonCfgDescriptor.CONFIG_GENERATION -> core.configGeneration();
        case CommonCfgDescriptor.QUEUE_SELECT -> core.queues().select();
        default -> getOfQueue(field, core.queues().selected());
      };
    } finally {
      core.leave();
    }
  }

  private long getOfQueue(final int field, final @Nullable QueueRegisters queue) {
    if (queue == null) {
      // a queue that does not exist has size 0, and no vector
      return field == CommonCfgDescriptor.QUEUE_MSIX_VECTOR ? CommonCfgDescriptor.NO_VECTOR : 0;
    }
    return switch (field) {
      case CommonCfgDescriptor.QUEUE_SIZE -> queue.size();
      case CommonCfgDescriptor.QUEUE_MSIX_VECTOR ->
          core.interrupts().queueVector(core.queues().select());
      case CommonCfgDescriptor.QUEUE_ENABLE -> queue.enabled() ? 1 : 0;
      case CommonCfgDescriptor.QUEUE_NOTIFY_OFF -> core.queues().select();
      case CommonCfgDescriptor.QUEUE_DESC -> queue.desc();
      case CommonCfgDescriptor.QUEUE_DRIVER -> queue.driver();
      case CommonCfgDescriptor.QUEUE_DEVICE -> queue.device();
      case CommonCfgDescriptor.QUEUE_NOTIF_CONFIG_DATA ->
          core.negotiated(VirtioFeatures.NOTIF_CONFIG_DATA)
              ? Doorbell.configData(core.queues().select())
              : 0;
      case CommonCfgDescriptor.QUEUE_RESET ->
          core.negotiated(VirtioFeatures.RING_RESET) && queue.resetting() ? 1 : 0;
      default -> 0; // administration queues
    };
  }

  private void put(final int field, final long value) {
    switch (field) {
      // these act on more than a register, and lock for themselves
      case CommonCfgDescriptor.DEVICE_STATUS -> core.status((int) value);
      case CommonCfgDescriptor.QUEUE_ENABLE -> core.queueCommands().enable((int) value);
      case CommonCfgDescriptor.QUEUE_RESET -> core.queueCommands().reset((int) value);
      default -> putRegister(field, value);
    }
  }

  private void putRegister(final int field, final long value) {
    final boolean changeable = core.enter();
    try {
      if (changeable) {
        putLocked(field, value);
        core.changed();
      }
    } finally {
      core.leave();
    }
  }

  private void putLocked(final int field, final long value) {
    switch (field) {
      case CommonCfgDescriptor.DEVICE_FEATURE_SELECT -> features.deviceSelect((int) value);
      case CommonCfgDescriptor.DRIVER_FEATURE_SELECT -> features.driverSelect((int) value);
      case CommonCfgDescriptor.DRIVER_FEATURE -> {
        if (core.negotiating()) {
          features.driverFeature((int) value);
        }
      }
      case CommonCfgDescriptor.CONFIG_MSIX_VECTOR -> core.interrupts().configVector((int) value);
      case CommonCfgDescriptor.QUEUE_SELECT -> core.queues().select((int) value);
      default -> {
        final QueueRegisters queue = core.queues().selected();
        if (queue != null) {
          putOfQueue(field, queue, value);
        }
      }
    }
  }

  /** A suspended device's queues stay as they are; a driver may set up its vectors again. */
  private void putOfQueue(final int field, final QueueRegisters queue, final long value) {
    if (core.suspended() && field != CommonCfgDescriptor.QUEUE_MSIX_VECTOR) {
      return;
    }
    switch (field) {
      case CommonCfgDescriptor.QUEUE_SIZE -> queue.size((int) value, core::legalSize);
      case CommonCfgDescriptor.QUEUE_MSIX_VECTOR ->
          core.interrupts().queueVector(core.queues().select(), (int) value);
      case CommonCfgDescriptor.QUEUE_DESC -> queue.desc(value);
      case CommonCfgDescriptor.QUEUE_DRIVER -> queue.driver(value);
      case CommonCfgDescriptor.QUEUE_DEVICE -> queue.device(value);
      default -> {
        // read-only
      }
    }
  }
}
