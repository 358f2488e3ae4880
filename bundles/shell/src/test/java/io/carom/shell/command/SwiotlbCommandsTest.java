package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.MappingInfo;
import io.carom.dma.PoolInfo;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.service.Disks;
import io.carom.shell.text.ResultConverter;
import io.carom.virtio.SwiotlbPolicy;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SwiotlbCommandsTest {
  private static final String VDA = "0000:00:04.0";
  private static final String VDB = "0000:00:05.0";

  private final FakeWorld world = new FakeWorld();

  @BeforeEach
  void plug() throws InterruptedException {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
    world.virtio.addBlk(Disks.memory("disk1", 1 << 20, SwiotlbPolicy.STRICT));
    world.dma.morePools.add(
        new PoolInfo(
            "swiotlb-device@" + VDB,
            "swiotlb-device",
            ExtentKind.DEVICE,
            VDB,
            "ACTIVE",
            8064,
            6,
            64,
            3,
            1,
            262144));
  }

  @Test
  void showsPoolsAndDevicesUnderTheKernelsNames() throws InterruptedException {
    assertThat(text(run("swiotlb:stat")))
        .isEqualTo(
            """
            POOL                         STRATEGY        EXTENTS  DEVICE        STATE   \
            io_tlb_nslabs  io_tlb_used  io_tlb_used_hiwater  io_tlb_transient_nslabs  AREAS  \
            LARGEST FREE
            swiotlb-fixed                swiotlb-fixed   ram      -             ACTIVE  \
                    32768           12                   99                        0      4  \
                 256 KiB
            swiotlb-device@0000:00:05.0  swiotlb-device  device   0000:00:05.0  ACTIVE  \
                     8064            6                   64                        3      1  \
                 256 KiB

            DEVICE        STRATEGY        EXTENTS  POOL                         \
            io_tlb_nslabs  io_tlb_used  io_tlb_used_hiwater  io_tlb_transient_nslabs
            0000:00:04.0  swiotlb-device  device   -                            \
                        -            6                   64                        -
            0000:00:05.0  swiotlb-device  device   swiotlb-device@0000:00:05.0  \
                     8064            6                   64                        3\
            """);
  }

  @Test
  void keepsPoolsAndDevicesApartInJson() throws InterruptedException {
    final JsonObject json = json(run("swiotlb:stat", "--json"));
    assertThat(json.keySet()).containsExactly("pools", "devices");
    final JsonObject pool = json.getAsJsonArray("pools").get(1).getAsJsonObject();
    assertThat(pool.get("io_tlb_transient_nslabs").getAsLong()).isEqualTo(3);
    final JsonObject device = json.getAsJsonArray("devices").get(1).getAsJsonObject();
    assertThat(device.get("io_tlb_used").getAsLong()).isEqualTo(6);
    assertThat(device.get("io_tlb_used_hiwater").getAsLong()).isEqualTo(64);
    assertThat(device.get("io_tlb_nslabs").getAsLong()).isEqualTo(8064);
  }

  @ParameterizedTest
  @CsvSource({"swiotlb-device@0000:00:05.0", "swiotlb-device@00:05.0", "vdb", "00:05.0", "disk1"})
  void showsOnePoolOrDevice(final String name) throws InterruptedException {
    final JsonObject json = json(run("swiotlb:stat", name, "--json"));
    assertThat(json.getAsJsonArray("pools")).hasSize(1);
    assertThat(json.getAsJsonArray("pools").get(0).getAsJsonObject().get("device").getAsString())
        .isEqualTo(VDB);
    assertThat(json.getAsJsonArray("devices")).hasSize(1);
    assertThat(json.getAsJsonArray("devices").get(0).getAsJsonObject().get("device").getAsString())
        .isEqualTo(VDB);
  }

  @Test
  void namesPoolsAndDevicesForATypo() {
    assertThatThrownBy(() -> run("swiotlb:stat", "vdz"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "unknown pool or device 'vdz'; pools: swiotlb-fixed, swiotlb-device@0000:00:05.0;"
                + " devices: vda, vdb");
    assertThatThrownBy(() -> run("swiotlb:map", "swiotbl"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("unknown pool 'swiotbl'; valid: swiotlb-fixed");
  }

  @Test
  void resetsHighWaterMarks() throws InterruptedException {
    run("swiotlb:stat", "--reset-hiwater");
    run("swiotlb:stat", "swiotlb-fixed", "--reset-hiwater");
    assertThat(world.dma.resets).containsExactly("null", "swiotlb-fixed");
    assertThatThrownBy(() -> run("swiotlb:stat", "vda", "--reset-hiwater"))
        .isInstanceOf(UsageException.class);
    assertThatThrownBy(() -> run("swiotlb:stat", "vdz", "--reset-hiwater"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(world.dma.resets).hasSize(2);
  }

  @Test
  void givesTheRunsOfAPoolAsJson() throws InterruptedException {
    assertThat(run("swiotlb:map", "swiotlb-fixed", "--json").toString())
        .isEqualTo(
            "{\"pools\":[{\"pool\":\"swiotlb-fixed\",\"extents\":["
                + "{\"busAddress\":\"0x1000000\",\"slots\":128,\"owner\":\"area 0\","
                + "\"use\":\"EXTENT\"},"
                + "{\"busAddress\":\"0x1040000\",\"slots\":128,\"owner\":\"area 1\","
                + "\"use\":\"EXTENT\"}],\"runs\":["
                + "{\"busAddress\":\"0x1001000\",\"slots\":6,\"owner\":\"0000:00:04.0\","
                + "\"use\":\"BOUNCE\"}]}]}");
  }

  @Test
  void drawsAllPoolsButThoseThatEnd() throws InterruptedException {
    // the second pool is listed, but has ended when it is asked for
    assertThat(text(run("swiotlb:map")))
        .startsWith("swiotlb-fixed: 256 slots of 2 KiB in 2 extents, 6 used\n")
        .contains("\nA  6 slots of mappings of 0000:00:04.0 (vda)");
  }

  @Test
  void asksTheTerminalForItsWidth() {
    assertThat(CommandFunction.columns(null)).isEqualTo(80);
    assertThat(CommandFunction.columns("132")).isEqualTo(132);
    assertThat(CommandFunction.columns(132)).isEqualTo(132);
    assertThat(CommandFunction.columns("wide")).isEqualTo(80);
    assertThat(CommandFunction.columns(0)).isEqualTo(80);
    assertThat(CommandFunction.columns(7)).isEqualTo(40);
  }

  @Test
  void listsOldMappingsFirstAndCountsThem() throws InterruptedException {
    world.dma.moreMappings.addAll(
        List.of(mapping(VDA, 5, 1), mapping(VDB, 12_000, 1), mapping(VDA, 11_000, 4)));
    final JsonObject all = json(run("dma:mappings", "--json"));
    assertThat(ages(all)).containsExactly(12_000L, 11_000L, 5L);
    assertThat(all.get("olderThanMs").isJsonNull()).isTrue();
    final JsonObject old = json(run("dma:mappings", "--older-than", "10s", "--json"));
    assertThat(ages(old)).containsExactly(12_000L, 11_000L);
    assertThat(old.get("devices").toString())
        .isEqualTo(
            "[{\"device\":\"0000:00:05.0\",\"listed\":1,\"live\":3,\"bytes\":4096,"
                + "\"oldestMs\":12000},"
                + "{\"device\":\"0000:00:04.0\",\"listed\":4,\"live\":3,\"bytes\":16384,"
                + "\"oldestMs\":11000}]");
    assertThat(text(run("dma:mappings", "--older-than", "11500ms")))
        .endsWith(
            """

            DEVICE        LISTED  LIVE  HOLDING  OLDEST MS
            0000:00:05.0       1     3    4 KiB      12000\
            """);
    assertThat(text(run("dma:mappings", "--older-than", "2m")))
        .isEqualTo("no live mappings older than 120000 ms");
  }

  private static List<Long> ages(final JsonObject json) {
    return json.getAsJsonArray("mappings").asList().stream()
        .map(mapping -> mapping.getAsJsonObject().get("ageMs").getAsLong())
        .toList();
  }

  private static MappingInfo mapping(final String device, final long ageMs, final int count) {
    return new MappingInfo(
        device,
        "0x8000041000",
        "0x1f000000",
        4096,
        DmaDirection.FROM_DEVICE,
        "swiotlb-device",
        ExtentKind.DEVICE,
        2,
        "BOUNCE",
        count,
        ageMs);
  }

  private Object run(final String command, final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find(command)), world)
        .execute(arguments, line -> {});
  }

  private static JsonObject json(final Object result) {
    return JsonParser.parseString(result.toString()).getAsJsonObject();
  }

  private static String text(final Object result) {
    return String.valueOf(
        new ResultConverter().format(result, Converter.INSPECT, new ResultConverter()));
  }
}
