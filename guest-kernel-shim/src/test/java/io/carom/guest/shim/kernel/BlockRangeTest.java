package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockLimits;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.virtio.VirtioFeatures;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class BlockRangeTest {
  private final TestGuest test = new TestGuest();

  @AfterEach
  void stop() {
    test.close();
  }

  private FakeBlk boot(final long features) {
    final FakeBlk device = test.blk("disk0", 1, 16, 0);
    device.offered |= features;
    test.bus.add("00:04.0", device);
    test.boot();
    return device;
  }

  private BlockStatus run(final BlockOp op, final long sector, final int length) {
    final BlockRequest request = test.request(op, sector, 0);
    request.length = length;
    test.vda().submit(request);
    return test.awaitEnd().status();
  }

  @Test
  @DisplayName("blk G: DISCARD and WRITE_ZEROES reach the device in parts that it allows")
  void blkRangesAreCut() {
    final FakeBlk device = boot(VirtioFeatures.BLK_DISCARD | VirtioFeatures.BLK_WRITE_ZEROES);
    final byte[] content = new byte[(int) device.disk().byteSize()];
    new Random(1).nextBytes(content);
    device.disk().copyFrom(MemorySegment.ofArray(content));
    assertThat(run(BlockOp.DISCARD, 10, 100 * 512)).isEqualTo(BlockStatus.OK);
    assertThat(device.ranges).containsExactly("10+64/0", "74+36/0");
    assertThat(run(BlockOp.WRITE_ZEROES, 1000, 128 * 512)).isEqualTo(BlockStatus.OK);
    assertThat(device.ranges).hasSize(3).last().isEqualTo("1000+128/0");
    Arrays.fill(content, 10 * 512, 110 * 512, (byte) 0);
    Arrays.fill(content, 1000 * 512, 1128 * 512, (byte) 0);
    assertThat(device.disk().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
    assertThat(test.dmaDevice().liveMappings()).isZero();
    assertThatThrownBy(() -> run(BlockOp.DISCARD, 8191, 1024)).hasMessageContaining("capacity");
    assertThatThrownBy(() -> run(BlockOp.DISCARD, 0, 100)).hasMessageContaining("multiple");
  }

  @Test
  @DisplayName("blk G: what was not negotiated ends as UNSUPPORTED, and never reaches the device")
  void blkUnsupported() {
    final FakeBlk device = boot(0);
    final int served = device.served.get();
    assertThat(run(BlockOp.DISCARD, 0, 512)).isEqualTo(BlockStatus.UNSUPPORTED);
    assertThat(run(BlockOp.WRITE_ZEROES, 0, 512)).isEqualTo(BlockStatus.UNSUPPORTED);
    assertThat(device.served).hasValue(served);
  }

  @Test
  @DisplayName("blk G CONFIG_WCE: without a write cache a FLUSH needs no request")
  void blkFlushWithoutCache() {
    final FakeBlk device = boot(VirtioFeatures.BLK_CONFIG_WCE | VirtioFeatures.BLK_TOPOLOGY);
    final int served = device.served.get();
    test.vda().flush();
    assertThat(device.served).hasValue(served);
    assertThat(test.vda().limits()).isEqualTo(new BlockLimits(4096, 512, 0, 0, 0, false));
    assertThat(test.guest.dmesg())
        .anyMatch(line -> line.endsWith("[vda] 4096-byte physical blocks, write cache disabled"));
  }

  @Test
  @DisplayName("blk G CONFIG_WCE: with one a FLUSH reaches the device")
  void blkFlushWithCache() {
    final FakeBlk device = test.blk("disk0", 1, 16, 0);
    device.offered |= VirtioFeatures.BLK_CONFIG_WCE;
    device.writeback = 1;
    test.bus.add("00:04.0", device);
    test.boot();
    final int served = device.served.get();
    test.vda().flush();
    assertThat(device.served).hasValue(served + 1);
    assertThat(test.vda().limits().writeCache()).isTrue();
  }

  @Test
  @DisplayName("blk G: another capacity is followed, an absurd one is not")
  void blkCapacityChanges() {
    final FakeBlk device = boot(0);
    final BlockDevice vda = test.vda();
    device.capacity = 16;
    device.changeConfig();
    test.await("the new size", () -> vda.capacityBytes() == 16 * 512);
    assertThatThrownBy(() -> run(BlockOp.READ, 16, 512)).hasMessageContaining("capacity");
    test.await(
        "the line",
        () ->
            test.guest.dmesg().stream()
                .anyMatch(line -> line.endsWith("[vda] new size: 16 sectors")));
    device.capacity = -1;
    device.changeConfig();
    test.await(
        "the refusal",
        () -> test.guest.dmesg().stream().anyMatch(line -> line.contains("ignores")));
    assertThat(vda.capacityBytes()).isEqualTo(16 * 512);
    assertThat(vda.live()).isTrue();
  }
}
