package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceLink;
import io.carom.virtio.device.type.DeviceType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ConfigWriteTest {
  private static final int CONFIG = 0x2000;
  private static final int EMERGENCY = 8;

  private final Type type = new Type();
  private final Driver driver =
      new Driver(
          new VirtioFunctionBuilder("console0", type)
              .workers(WorkerOptions.manual())
              .errors(Disks.quiet())
              .build(),
          new FakeBus(0));

  private int generation() {
    return (int) driver.get(CommonCfgDescriptor.CONFIG_GENERATION, 1);
  }

  @Test
  @DisplayName("H21 V1 D: the configuration is written from FEATURES_OK on, not before")
  void h21_notBeforeFeaturesOk() {
    driver.set(CONFIG, 2, 1);
    driver.status(VirtioStatus.ACKNOWLEDGE);
    driver.status(Driver.ACK_DRIVER);
    driver.set(CONFIG, 2, 2);
    assertThat(type.written).isEmpty();
    driver.negotiate(0);
    driver.set(CONFIG, 2, 3);
    driver.ready();
    driver.set(CONFIG + 4, 4, 4);
    assertThat(type.written).containsExactly("0 2 3", "4 4 4");
    driver.status(0);
    driver.set(CONFIG, 2, 5);
    assertThat(type.written).hasSize(2);
  }

  @Test
  @DisplayName(
      "H21 D: what is there for an unconfigured device is always taken, at that offset only")
  void h21_emergencyWrite() {
    driver.set(CONFIG + EMERGENCY, 4, 'x');
    driver.set(CONFIG + EMERGENCY, 8, 'y'); // half of it lies behind the structure
    driver.set(CONFIG + EMERGENCY - 4, 4, 'z');
    driver.status(VirtioStatus.FAILED);
    driver.set(CONFIG + EMERGENCY, 4, '!');
    assertThat(type.written).containsExactly("8 4 120", "8 4 121", "8 4 33");
  }

  @Test
  @DisplayName("V1 P5 H24 D: every field is read before FEATURES_OK in any width, and 0 behind it")
  void v1_reads() {
    for (int i = 0; i < Type.SIZE; i++) {
      assertThat(driver.get(CONFIG + i, 1)).isEqualTo(i + 1);
    }
    assertThat(driver.get(CONFIG, 2)).isEqualTo(0x0201);
    assertThat(driver.get(CONFIG + 4, 4)).isEqualTo(0x08070605L);
    assertThat(driver.get(CONFIG, 8)).isEqualTo(0x0807060504030201L);
    assertThat(driver.get(CONFIG + 8, 8)).as("reads behind the end").isEqualTo(0x0c0b0a09L);
    assertThat(driver.get(CONFIG + Type.SIZE, 4)).isZero();
    assertThat(driver.get(CONFIG + 0xffc, 4)).isZero();
    driver.negotiate(0);
    driver.set(CONFIG + Type.SIZE, 4, 1);
    driver.set(CONFIG + 0xffc, 4, 1);
    assertThat(type.written).isEmpty();
  }

  @Test
  @DisplayName("M D: the generation differs after a read that follows a change, and not otherwise")
  void configGeneration() {
    driver.get(CONFIG, 4);
    final int before = generation();
    driver.get(CONFIG, 4);
    assertThat(generation()).isEqualTo(before);
    for (int i = 0; i < 256; i++) {
      type.config().putInt(0, i); // counting these would come to the same number
    }
    assertThat(generation()).as("nothing new was read").isEqualTo(before);
    driver.get(CONFIG + 4, 4);
    assertThat(generation()).isNotEqualTo(before);
  }

  @Test
  @DisplayName("M D: the generation wraps around after 256 changes that were read")
  void configGenerationWraps() {
    final int before = generation();
    for (int i = 1; i <= 256; i++) {
      type.config().putInt(0, i);
      driver.get(CONFIG, 4);
      assertThat(generation()).isEqualTo(before + i & 0xff);
    }
  }

  @Test
  @DisplayName("M D: a 64-bit field that changes between its halves is seen by the generation")
  void configGenerationBetweenHalves() {
    type.config().putLong(0, 0x1111_1111_1111_1111L);
    driver.get(CONFIG, 4);
    final int before = generation();
    final long low = driver.get(CONFIG, 4);
    type.config().putLong(0, 0x2222_2222_2222_2222L);
    final long high = driver.get(CONFIG + 4, 4);
    assertThat(high).isNotEqualTo(low);
    assertThat(generation()).as("so the driver reads again").isNotEqualTo(before);
  }

  @Test
  @DisplayName("M1 D: fields of features that were not negotiated read 0 and ignore writes")
  void m1_optionalFields() {
    driver.negotiate(0);
    for (int field = CommonCfgDescriptor.SIZE; field < CommonCfgDescriptor.FULL_SIZE; field += 2) {
      driver.set(field, 2, 0xffff);
      assertThat(driver.get(field, 2)).isZero();
    }
    driver.negotiate(driver.offered());
    for (final int field :
        new int[] {CommonCfgDescriptor.ADMIN_QUEUE_INDEX, CommonCfgDescriptor.ADMIN_QUEUE_NUM}) {
      driver.set(field, 2, 1);
      assertThat(driver.get(field, 2)).as("there are no administration queues").isZero();
    }
    assertThat(driver.get(CommonCfgDescriptor.FULL_SIZE, 4)).isZero();
  }

  /** A type with a field that works without a driver. */
  private static final class Type implements DeviceType {
    static final int SIZE = 12;
    private final ConfigSpace config =
        new ConfigSpace(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    private final List<String> written = new ArrayList<>();

    @Override
    public int id() {
      return VirtioIds.TYPE_CONSOLE;
    }

    @Override
    public String typeName() {
      return "console";
    }

    @Override
    public int classCode() {
      return 0x078000;
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public int queues() {
      return 1;
    }

    @Override
    public int queueSize() {
      return 16;
    }

    @Override
    public ConfigSpace config() {
      return config;
    }

    @Override
    public boolean alwaysWritable(final int offset, final int width) {
      return offset == EMERGENCY && width == Integer.BYTES;
    }

    @Override
    public void configWritten(final int offset, final int width, final long value) {
      written.add(offset + " " + width + " " + value);
    }

    @Override
    public void plugged(final DeviceLink link) {}

    @Override
    public QueueHandler open(final int queue, final long accepted) {
      return chain -> {};
    }

    @Override
    public long requests() {
      return 0;
    }

    @Override
    public String backend() {
      return "none";
    }

    @Override
    public void close() {}
  }
}
