package io.carom.dma.core.swap;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.Negotiation;
import io.carom.dma.core.CoreKit;
import io.carom.dma.core.SlotStrategy;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.map.Failures;
import io.carom.dma.spi.Refusal;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FailureLogTest {
  private final CoreKit kit = new CoreKit();
  private final SlotStrategy one = new SlotStrategy(256 << 10, 1);
  private final List<String> lines = new ArrayList<>();
  private final FailureLog log = new FailureLog(new FailureText(p -> null), lines::add);

  @AfterEach
  void close() {
    kit.close();
  }

  private DmaDevice device() {
    kit.add("one", one, 1);
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    return device;
  }

  private static Failures failures(final DmaDevice device) {
    return ((DeviceDma) device).mapper().failures();
  }

  private String only(final DmaDevice device) {
    lines.clear();
    log.check((DeviceDma) device, 1L << 40);
    log.forget((DeviceDma) device);
    assertThat(lines).hasSize(1);
    return lines.getFirst();
  }

  @Test
  void fullIsSaidInTheKernelsWordsWhenItIsSo() {
    final DmaDevice device = device();
    final long buffer = kit.guest.buffer(128 << 10, 1);
    final long a = device.map(buffer, 128 << 10, DmaDirection.TO_DEVICE, 0);
    final long b = device.map(buffer, 128 << 10, DmaDirection.TO_DEVICE, 0);
    assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(only(device))
        .isEqualTo(
            "dev: 1 maps failed: swiotlb buffer is full (sz: 4096 bytes), total 128 (slots), used"
                + " 128 (slots), pool one; raise slots of one, or set swiotlb of"
                + " io.carom.dma.core");
    device.unmap(a, 128 << 10, DmaDirection.TO_DEVICE, 0);
    assertThat(only(device))
        .as("it is not full any more")
        .startsWith("dev: 1 maps failed: full: no room for 4096 bytes in pool one then, now 64 of")
        .contains("64 of 128 slots used, at most 128")
        .doesNotContain("buffer is full");
    device.unmap(b, 128 << 10, DmaDirection.TO_DEVICE, 0);
  }

  @Test
  void tooBigIsNotFull() {
    final DmaDevice device = device();
    final long buffer = kit.guest.buffer(512 << 10, 1);
    device.map(buffer, 262_145, DmaDirection.TO_DEVICE, 0);
    assertThat(only(device))
        .isEqualTo(
            "dev: 1 maps failed: too big: 262145 bytes are more than the limit of 262144 of pool"
                + " one; map smaller parts, or set strategy of io.carom.dma.core to one with a"
                + " higher limit");
  }

  @Test
  void eachReasonNamesPoolAndProperty() {
    final DmaDevice device = device();
    failures(device).count(Refusal.FRAGMENTED.ordinal(), 8192, 0);
    assertThat(only(device))
        .isEqualTo(
            "dev: 1 maps failed: fragmented: 8192 bytes wanted, largest free run 262144 bytes, 0"
                + " of 128 slots used in pool one; raise slots of one, or set swiotlb of"
                + " io.carom.dma.core");
    final DmaDevice second = kit.device("throttled");
    kit.use(second, "one");
    failures(second).count(Refusal.THROTTLED.ordinal(), 8192, 0);
    assertThat(only(second))
        .startsWith(
            "throttled: 1 maps failed: throttled: pool one stayed above its high mark, 0 of")
        .contains("raise throttleTimeoutMs of io.carom.dma.core");
    final DmaDevice masked =
        kit.device(DmaDeviceSpec.of("masked", null).withDmaMask(0xfff), Negotiation.NONE);
    masked.map(kit.guest.buffer(4096, 1), 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(only(masked)).contains("not reachable under the device's mask 0xfff");
    one.fault = SlotStrategy.Fault.THROW;
    second.map(kit.guest.buffer(4096, 1), 4096, DmaDirection.TO_DEVICE, 0);
    one.fault = SlotStrategy.Fault.NONE;
    lines.clear();
    log.check((DeviceDma) second, 0);
    assertThat(lines)
        .anyMatch(
            l ->
                l.contains("strategy of pool one failed: allocate for throttled: ")
                    && l.contains("throw"));
  }

  @Test
  void regionsNameTheDevicesProperty() {
    kit.add("one", one, 1);
    final DmaDevice device = kit.regionDevice("dev", 512, true);
    final long buffer = kit.guest.buffer(256 << 10, 1);
    final long bus = device.map(buffer, 256 << 10, DmaDirection.TO_DEVICE, 0);
    device.map(buffer, 2048, DmaDirection.TO_DEVICE, 0);
    assertThat(only(device)).contains("pool one@dev; raise regionBytes of the device");
    device.unmap(bus, 256 << 10, DmaDirection.TO_DEVICE, 0);
  }

  @Test
  void noStrategyIsSaidSo() {
    final DmaDevice device = kit.regionDevice("dev", 512, true);
    device.map(kit.guest.buffer(4096, 1), 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(only(device)).startsWith("dev: 1 maps failed: no strategy; start one");
  }

  @Test
  void atMostOneLineForAReasonInASecond() {
    final DmaDevice device = device();
    final Failures failures = failures(device);
    for (int ms = 0; ms < 3_000; ms += 10) {
      failures.count(Refusal.FULL.ordinal(), 2048, 0);
      log.check((DeviceDma) device, ms);
    }
    assertThat(lines).hasSize(3);
    assertThat(lines.getFirst()).startsWith("dev: 1 maps failed");
    assertThat(lines.get(1)).startsWith("dev: 100 maps failed");
    log.check((DeviceDma) device, 3_000);
    log.check((DeviceDma) device, 9_000);
    assertThat(lines).as("nothing new").hasSize(4);
    assertThat(lines.getLast()).startsWith("dev: 99 maps failed");
  }

  @Test
  void quietMapsAreCountedAndNotLogged() {
    final DmaDevice device = device();
    final Failures failures = failures(device);
    failures.count(Refusal.FULL.ordinal(), 4096, DmaAttributes.NO_WARN);
    failures.count(Failures.NO_STRATEGY, 4096, DmaAttributes.NO_WARN);
    log.check((DeviceDma) device, 0);
    assertThat(lines).isEmpty();
    assertThat(kit.info(device).full()).isEqualTo(1);
    assertThat(kit.info(device).failedMaps()).isEqualTo(1);
    assertThat(kit.info(device).noStrategyMaps()).isEqualTo(1);
    failures.count(Refusal.FULL.ordinal(), 2048, DmaAttributes.MAY_SLEEP);
    log.check((DeviceDma) device, 0);
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst()).contains("no room for 2048 bytes").startsWith("dev: 1 maps");
  }
}
