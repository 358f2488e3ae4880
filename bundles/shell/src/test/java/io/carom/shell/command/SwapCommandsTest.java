package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.MappingInfo;
import io.carom.dma.SwapPolicy;
import io.carom.dma.TransitionInfo;
import io.carom.shell.fake.FakeDma;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.service.Disks;
import io.carom.shell.text.ResultConverter;
import io.carom.virtio.SwiotlbPolicy;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Swaps that go on, are taken back, or are over. */
class SwapCommandsTest {
  private final FakeWorld world = new FakeWorld();

  @BeforeEach
  void plug() {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
    world.virtio.addBlk(Disks.memory("disk1", 1 << 20, SwiotlbPolicy.HINT));
  }

  private Object run(final String name, final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find(name)), world)
        .execute(arguments, line -> {});
  }

  private static String text(final Object result) throws Exception {
    final ResultConverter converter = new ResultConverter();
    return String.valueOf(converter.format(result, Converter.INSPECT, converter));
  }

  private static TransitionInfo draining(final String device) {
    return new TransitionInfo(
        device,
        "swiotlb-fixed",
        ExtentKind.RAM,
        "direct",
        null,
        "DRAINING",
        3,
        120,
        1880,
        SwapPolicy.REVOKE,
        List.of(
            new MappingInfo(
                device,
                "0x1001000",
                "0x1f000000",
                4096,
                DmaDirection.FROM_DEVICE,
                "swiotlb-fixed",
                ExtentKind.RAM,
                4,
                "BOUNCE",
                1,
                119)),
        4,
        5,
        "requested",
        List.of(new TransitionInfo.Age(1, 2), new TransitionInfo.Age(100, 1)));
  }

  @Test
  void showsWhatASwapWaitsFor() throws Exception {
    assertThat(text(run("dma:transition"))).isEqualTo("no swap is going on");
    world.dma.running.add(draining("0000:00:04.0"));
    assertThat(text(run("dma:transition")))
        .isEqualTo(
            """
            DEVICE        FROM           TO      STATE     FROM GEN  TO GEN  CAUSE      \
            LIVE  AGE MS  DEADLINE MS  POLICY
            0000:00:04.0  swiotlb-fixed  direct  DRAINING         4       5  requested     \
            3     120         1880  revoke

            DEVICE        OLDER THAN MS  LIVE
            0000:00:04.0              1     2
            0000:00:04.0            100     1

            BUS ADDRESS  DEVICE        BUFFER      BYTES  DIRECTION    STRATEGY       \
            EXTENTS  GEN  PLACEMENT  COUNT  AGE MS
            0x1001000    0000:00:04.0  0x1f000000   4096  from_device  swiotlb-fixed  \
            ram        4  BOUNCE         1     119\
            """);
    assertThat(run("dma:transition", "--json").toString())
        .contains("\"fromGeneration\":4,\"toGeneration\":5,\"cause\":\"requested\"")
        .contains("\"ages\":[{\"fromMs\":1,\"live\":2},{\"fromMs\":100,\"live\":1}]");
  }

  @Test
  void cancelsTheSwapOfADevice() throws Exception {
    world.dma.running.add(draining("0000:00:04.0"));
    world.dma.running.add(draining("0000:00:05.0"));
    assertThat(run("dma:cancel", "vda")).isEqualTo(FakeDma.CANCELLED);
    assertThat(world.dma.running).hasSize(1);
  }

  @Test
  void cancelsTheOnlySwap() throws Exception {
    world.dma.running.add(draining("0000:00:04.0"));
    assertThat(run("dma:cancel", "--json").toString())
        .contains("\"outcome\":\"CANCELLED\"", "\"cause\":\"cancelled\"");
  }

  @Test
  void refusesToCancelInOneLine() {
    assertThatThrownBy(() -> run("dma:cancel"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no swap is going on");
    assertThatThrownBy(() -> run("dma:cancel", "vda"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no swap of 0000:00:04.0 is going on");
    assertThatThrownBy(() -> run("dma:cancel", "vdz"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("unknown device 'vdz'; valid: vda");
    world.dma.running.add(draining("0000:00:04.0"));
    world.dma.running.add(draining("0000:00:05.0"));
    assertThatThrownBy(() -> run("dma:cancel"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("which device? 0000:00:04.0, 0000:00:05.0");
  }

  @Test
  void revokeIsAPolicy() throws Exception {
    run("dma:use", "direct", "vda", "--policy", "revoke");
    assertThat(world.dma.policies).containsExactly(SwapPolicy.REVOKE);
  }

  @Test
  void showsPhasesCauseAndNoteOfSwaps() throws Exception {
    assertThat(text(run("dma:history"))).isEqualTo("no swaps yet");
    world.dma.past.add(FakeDma.CANCELLED);
    assertThat(text(run("dma:history")))
        .contains("CAUSE", "OUTCOME", "READY US", "PUBLISH US", "GRACE US", "DRAIN MS", "REVOKED")
        .contains("cancelled  CANCELLED", "2023-11-14T22:13:20Z")
        .endsWith("1 mappings of direct outlived the drain deadline of 30 ms: ADOPTED");
    assertThat(run("dma:history", "--json").toString())
        .contains(
            "\"cause\":\"cancelled\",\"atMs\":1700000000000,\"readyUs\":5,\"revokedMappings\":0");
  }
}
