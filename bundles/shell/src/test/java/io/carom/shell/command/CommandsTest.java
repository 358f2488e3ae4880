package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.JsonDocument;
import io.carom.shell.service.Disks;
import io.carom.virtio.SwiotlbPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class CommandsTest {
  private final FakeWorld world = new FakeWorld();
  private final List<String> progress = new ArrayList<>();

  @BeforeEach
  void plug() {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
  }

  static Stream<CommandKind> kinds() {
    return Commands.ALL.stream();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void explainsItself(final CommandKind kind) throws InterruptedException {
    assertThat(kind.description()).endsWith(".").doesNotContain("\n");
    assertThat(run(kind.name(), "--help").toString())
        .startsWith("Usage: " + kind.name())
        .contains(kind.description().split(" ")[0], "--json", "--help");
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void namesTheValidOptions(final CommandKind kind) {
    assertThatThrownBy(() -> run(kind.name(), "--jsno"))
        .isInstanceOf(UsageException.class)
        .message()
        .startsWith(kind.name() + ": unknown option '--jsno'; valid: --json, --help")
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void explainsItselfInJson(final CommandKind kind) throws InterruptedException {
    assertThat(run(kind.name(), "--help", "--json").toString()).startsWith("{\"usage\":\"Usage:");
  }

  static Stream<List<String>> mistakes() {
    return Stream.of(
        List.of(
            "carom:lspci",
            "x",
            "carom:lspci: unexpected argument 'x'; usage: carom:lspci [OPTIONS]"),
        List.of(
            "dma:use",
            "",
            "dma:use: Missing required parameter: 'STRATEGY'; usage: dma:use [OPTIONS] STRATEGY"
                + " [DEVICE]"),
        List.of(
            "dma:use",
            "direct --extents hdd",
            "dma:use: Invalid value for option '--extents': 'hdd' is none of ram, device, iova"),
        List.of(
            "dma:use",
            "direct --drain-ms -1",
            "dma:use: --drain-ms must not be negative, but is -1"),
        List.of(
            "dma:use",
            "direct --policy keep",
            "dma:use: Invalid value for option '--policy': 'keep' is none of adopt, quarantine,"
                + " revoke"),
        List.of(
            "dma:cancel",
            "vda vdb",
            "dma:cancel: unexpected argument 'vdb'; usage: dma:cancel [OPTIONS] [DEVICE]"),
        List.of("device:add", "gpu --file x", "device:add: Invalid value for positional parameter"),
        List.of(
            "device:add",
            "rng --mac 52:54:00:00:00:01",
            "device:add: --mac is none of rng's options; see device:add --help, where each says"
                + " whose it is"),
        List.of(
            "device:add", "console --size 64m", "device:add: --size is none of console's options"),
        List.of("device:add", "blk --rate 1k", "device:add: --rate is none of blk's options"),
        List.of(
            "device:add",
            "rng --ring round",
            "device:add: Invalid value for option '--ring': 'round' is none of split, packed,"
                + " both"),
        List.of("guest:hwrng", "--bytes 0", "guest:hwrng: --bytes must be in 1..1048576, but is 0"),
        List.of(
            "console:attach",
            "con0 --wait-ms -1",
            "console:attach: --wait-ms must not be negative, but is -1"),
        List.of(
            "device:add",
            "blk",
            "device:add: say what the disk is: --file FILE, or --backend memory --size SIZE"),
        List.of(
            "device:add",
            "blk --backend memory",
            "device:add: a memory disk needs --size, for instance --size 64m"),
        List.of("device:add", "blk --backend file", "device:add: --backend file needs --file FILE"),
        List.of(
            "device:add",
            "blk --backend memory --file x",
            "device:add: --file contradicts --backend memory; leave one out"),
        List.of(
            "device:add",
            "blk --backend memory --size 5x",
            "device:add: Invalid value for option '--size': '5x' is not a size such as 4096, 4k,"
                + " 64m or 1g"),
        List.of(
            "device:remove",
            "",
            "device:remove: Missing required parameter: 'DEVICE'; usage: device:remove [OPTIONS]"
                + " DEVICE"),
        List.of(
            "carom:fio",
            "--rw=seqread",
            "carom:fio: Invalid value for option '--rw': 'seqread' is none of read, write,"
                + " trim, randread, randwrite, randtrim, randrw"),
        List.of(
            "carom:fio",
            "--verify=md5",
            "carom:fio: Invalid value for option '--verify': 'md5' is none of crc32c, none"),
        List.of("carom:fio", "--time_based", "carom:fio: --time_based needs --runtime=SECONDS"),
        List.of(
            "carom:fio",
            "--bs=100",
            "carom:fio: --bs must be a multiple of 512, at most 1g, but is 100"),
        List.of(
            "carom:fio",
            "--runtime=soon",
            "carom:fio: Invalid value for option '--runtime': 'soon' is not a time such as 5, 5s,"
                + " 500ms or 2m"),
        List.of(
            "carom:fio",
            "--backend=memory --device=vda",
            "carom:fio: --backend=memory makes a disk of its own: leave out --device"),
        List.of("carom:fio", "--extents=ram", "carom:fio: --extents needs --strategy"),
        List.of(
            "carom:dmabench",
            "-q 3",
            "carom:dmabench: unknown option '-q'; valid: --json, --help, -t, -s, -n, -b, -d, -x,"
                + " -g, -m, --ns, --strategy, --extents, --region, --fill, --seed"),
        List.of(
            "carom:dmabench",
            "-t many",
            "carom:dmabench: Invalid value for option '-t': 'many' is not an int"),
        List.of(
            "carom:dmabench",
            "--fill 80",
            "carom:dmabench: Invalid value for option '--fill': '80' is none of 0, 50, 90"),
        List.of("carom:dmabench", "--extents=ram", "carom:dmabench: --extents needs --strategy"),
        List.of(
            "carom:dmabench",
            "--strategy direct --region 1m",
            "carom:dmabench: --region needs --extents device"),
        List.of(
            "dma:mappings",
            "--older-than soon",
            "dma:mappings: Invalid value for option '--older-than': 'soon' is not a time such as 5,"
                + " 5s, 500ms or 2m"),
        List.of(
            "swiotlb:stat",
            "vda --reset-hiwater",
            "swiotlb:stat: --reset-hiwater takes a pool, or no name for all pools and devices, but"
                + " 'vda' is a device"),
        List.of("swiotlb:size", "--queues 0", "swiotlb:size: --queues must be 1..64, but is 0"),
        List.of(
            "swiotlb:size",
            "--bs 8 --segments 9",
            "swiotlb:size: --segments must be 1..8, a byte of the request in each at least, but is"
                + " 9"),
        List.of(
            "swiotlb:size",
            "--queue-size 100",
            "swiotlb:size: --queue-size must be a power of two of at most 32768, but is 100"),
        List.of(
            "swiotlb:size",
            "--queue-size 64 --depth 65",
            "swiotlb:size: --depth must be 1..64, the entries of a queue (--queue-size), but is"
                + " 65"),
        List.of(
            "swiotlb:size", "--bs 0", "swiotlb:size: --bs must be 1..1073741824 (1g), but is 0"),
        List.of(
            "swiotlb:size",
            "--min-align 3k",
            "swiotlb:size: --min-align must be a power of two of at most 128k, but is 3072"),
        List.of(
            "swiotlb:map",
            "a b",
            "swiotlb:map: unexpected argument 'b'; usage: swiotlb:map [OPTIONS] [POOL]"),
        List.of("carom:demo", "--write", "carom:demo: --write needs --disk FILE"),
        List.of("carom:demo", "--seconds 0", "carom:demo: --seconds must be 1..86400, but is 0"),
        List.of(
            "carom:help",
            "fi",
            "carom:help: unknown command 'fi'; valid: carom:help, carom:demo,"));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void tellsMistakesInOneLine(final List<String> mistake) {
    final String arguments = mistake.get(1);
    final String[] words = arguments.isEmpty() ? new String[0] : arguments.split(" ");
    assertThatThrownBy(() -> run(mistake.get(0), words))
        .isInstanceOf(UsageException.class)
        .message()
        .startsWith(mistake.get(2))
        .doesNotContain("\n");
  }

  @Test
  void namesTheValidDevices() {
    assertThatThrownBy(() -> run("dma:stat", "vdz"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("unknown device 'vdz'; valid: vda=disk0=0000:00:04.0");
  }

  @Test
  void namesTheValidStrategies() {
    assertThatThrownBy(() -> run("dma:use", "swiotbl", "vda"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("unknown strategy 'swiotbl'; valid: direct, swiotlb-device, swiotlb-fixed");
  }

  @ParameterizedTest
  @CsvSource({"vda", "disk0", "0000:00:04.0", "00:04.0", "''"})
  void findsTheDeviceByAnyName(final String name) throws InterruptedException {
    if (name.isEmpty()) {
      run("dma:use", "direct");
    } else {
      run("dma:use", "direct", name);
    }
    assertThat(world.dma.uses).containsExactly("0000:00:04.0 direct null");
  }

  @Test
  void asksWhichDeviceWhenThereAreTwo() {
    world.virtio.addBlk(Disks.memory("disk1", 1 << 20, SwiotlbPolicy.STRICT));
    assertThatThrownBy(() -> run("dma:use", "direct"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("which device? valid: vda=disk0=0000:00:04.0, vdb=disk1=0000:00:05.0");
  }

  @ParameterizedTest
  @CsvSource({"--extents ram", "--extents=ram"})
  void takesOptionsInBothForms(final String option) throws InterruptedException {
    run(
        "dma:use",
        Stream.concat(Stream.of("swiotlb-fixed"), Stream.of(option.split(" ")))
            .toArray(String[]::new));
    assertThat(world.dma.uses).containsExactly("0000:00:04.0 swiotlb-fixed ram");
  }

  @Test
  void addsADisk() throws InterruptedException {
    final Object added =
        run(
            "device:add",
            "blk",
            "--backend",
            "memory",
            "--size=64m",
            "--policy",
            "strict",
            "--queues=2",
            "--queue-size",
            "128",
            "--region=8m",
            "--read-only",
            "--slot",
            "00:09.0",
            "--json");
    assertThat(world.virtio.specs.getLast())
        .hasToString(
            "BlkSpec[name=disk1, backend=memory, file=null, sizeBytes=67108864, readOnly=true,"
                + " queues=2, queueSize=128, policy=STRICT, regionBytes=8388608, slot=00:09.0]");
    assertThat(added.toString())
        .isEqualTo(
            "{\"name\":\"disk1\",\"disk\":\"vdb\",\"address\":\"0000:00:05.0\","
                + "\"sizeBytes\":67108864,\"policy\":\"strict\"}");
  }

  @Test
  void removesADisk() throws InterruptedException {
    assertThat(failed(run("device:remove", "vda", "--json"))).isFalse();
    assertThat(world.virtio.removed).containsExactly("disk0");
  }

  @Test
  void failsWhenTheGuestKeepsADisk() throws InterruptedException {
    world.virtio.lettingGo = false;
    assertThat(failed(run("device:remove", "vda", "--json"))).isTrue();
    assertThat(failed(run("device:remove", "vda", "--force", "--json"))).isFalse();
    assertThat(world.virtio.removed).containsExactly("!disk0");
  }

  @Test
  void suspendsAndResumesADevice() throws InterruptedException {
    final String full = "0000:00:04.0";
    assertThat(run("guest:suspend", "disk0", "--json").toString())
        .isEqualTo("{\"address\":\"" + full + "\",\"suspended\":true}");
    assertThat(world.guest.suspended).containsExactly(full);
    assertThatThrownBy(() -> run("guest:suspend", "disk0"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("suspended already");
    assertThat(run("guest:resume", full, "--json").toString())
        .isEqualTo("{\"address\":\"" + full + "\",\"suspended\":false}");
    assertThat(world.guest.suspended).isEmpty();
    assertThatThrownBy(() -> run("guest:resume", "nope"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("unknown device 'nope'");
  }

  @Test
  void showsThePageCache() throws InterruptedException {
    assertThat(run("guest:cache", "--json").toString())
        .isEqualTo(
            "{\"pages\":1024,\"borrowedPages\":768,\"hits\":90000,\"misses\":4000,"
                + "\"migrated\":17,\"dropped\":3}");
  }

  @ParameterizedTest
  @CsvSource({
    "virtio:list,devices",
    "device:list,devices",
    "dma:strategies,strategies",
    "dma:stat,devices",
    "dma:transition,transitions",
    "dma:history,swaps",
    "swiotlb:map,pools",
    "guest:dmesg,lines",
    "carom:lspci,functions",
    "carom:help,commands"
  })
  void listsAreObjectsWithOneKey(final String command, final String key)
      throws InterruptedException {
    assertThat(run(command, "--json").toString()).startsWith("{\"" + key + "\":[").endsWith("]}");
  }

  private static boolean failed(final Object result) {
    return ((JsonDocument) result).failed();
  }

  private Object run(final String command, final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find(command)), world)
        .execute(arguments, progress::add);
  }
}
