package io.carom.fuzz;

import static io.carom.fuzz.Subject.require;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.testkit.ConfigWindow;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.TestRing;

/** The registers of a device: any field, value, width and order, doorbells and the window too. */
public final class CommonConfigTarget {
  private static final int QUEUES = 3;
  private static final Subject SUBJECT =
      new Subject(
          "disk",
          new BlkDevice(
              "disk",
              new MemoryBackend(512 * 8),
              false,
              QUEUES,
              Subject.QUEUE_SIZE,
              Subject.quiet("disk")));

  private static final int[] FIELDS = {
    CommonCfgDescriptor.DEVICE_FEATURE_SELECT,
    CommonCfgDescriptor.DRIVER_FEATURE_SELECT,
    CommonCfgDescriptor.DRIVER_FEATURE,
    CommonCfgDescriptor.CONFIG_MSIX_VECTOR,
    CommonCfgDescriptor.DEVICE_STATUS,
    CommonCfgDescriptor.DEVICE_STATUS,
    CommonCfgDescriptor.QUEUE_SELECT,
    CommonCfgDescriptor.QUEUE_SIZE,
    CommonCfgDescriptor.QUEUE_MSIX_VECTOR,
    CommonCfgDescriptor.QUEUE_ENABLE,
    CommonCfgDescriptor.QUEUE_DESC,
    CommonCfgDescriptor.QUEUE_DRIVER,
    CommonCfgDescriptor.QUEUE_DEVICE,
    CommonCfgDescriptor.QUEUE_RESET
  };
  private static final int[] WIDTHS = {4, 4, 4, 2, 1, 1, 2, 2, 2, 2, 8, 8, 8, 2};

  private CommonConfigTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(final byte[] bytes) {
    final FuzzInput input = new FuzzInput(bytes);
    SUBJECT.begin();
    final ConfigWindow window = SUBJECT.driver.window();
    for (int i = 0; i < 256 && input.more(); i++) {
      step(input, window);
      SUBJECT.check();
    }
    SUBJECT.bus.busMaster(true);
    SUBJECT.begin();
    final TestRing ring = SUBJECT.start(RingLayout.SPLIT, VirtioFeatures.EVENT_IDX, 1)[0];
    SUBJECT.memory.put32(Subject.REQUESTS, 4); // FLUSH
    ring.add(Element.readable(Subject.REQUESTS, 16), Element.writable(Subject.REQUESTS + 0x100, 1));
    SUBJECT.kick(0);
    require(ring.take() != null, "a reset does not mend it");
  }

  private static void step(final FuzzInput input, final ConfigWindow window) {
    final int what = input.u8();
    final int width = 1 << (what & 3);
    switch (what >>> 2 & 7) {
      case 0, 1 -> {
        final int field = input.below(FIELDS.length);
        final long value =
            input.oneOf(0, 1, 2, 3, 7, 0x0b, 0x0f, 0x1f, 0x80, 0x1000, 0x2000, 0x4000, 32, -1);
        if (WIDTHS[field] == 8) {
          SUBJECT.driver.set64(FIELDS[field], value);
        } else {
          SUBJECT.driver.set(FIELDS[field], WIDTHS[field], value);
        }
      }
      case 2 ->
          SUBJECT.function.write(input.below(6), input.u16() & 0x3fff & -width, width, input.u64());
      case 3 -> SUBJECT.function.read(input.below(6), input.u16() & 0x3fff & -width, width);
      case 4 -> SUBJECT.driver.notify(input.u8() & -width, width, input.s32());
      case 5 -> {
        window.aim(
            input.u8(), input.oneOf(0, 0x14, 0x16, 0x18, 0x1c, 0x1000, 0x2000, 0x3000), width);
        if (input.u8() < 128) {
          window.load();
        } else {
          window.store(input.s32());
        }
      }
      case 6 -> {
        SUBJECT.driver.negotiate(SUBJECT.driver.offered() & input.u64());
        SUBJECT.bus.busMaster(input.u8() != 0);
      }
      default -> SUBJECT.driver.work();
    }
  }
}
