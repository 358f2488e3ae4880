package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.Entropy;
import io.carom.shell.fake.FakeConsole;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.JsonDocument;
import io.carom.shell.service.Disks;
import io.carom.virtio.SwiotlbPolicy;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.Test;

class DeviceCommandsTest {
  private final FakeWorld world = new FakeWorld();

  private Object run(final String command, final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find(command)), world)
        .execute(arguments, line -> {});
  }

  @Test
  void addsADeviceOfAnyTypeWithItsProperties() throws InterruptedException {
    assertThat(
            run(
                    "device:add",
                    "rng",
                    "--rate",
                    "4k",
                    "--seed=7",
                    "--policy",
                    "strict",
                    "--ring=packed",
                    "--in-order",
                    "on",
                    "--json")
                .toString())
        .isEqualTo(
            "{\"name\":\"rng0\",\"type\":\"rng\",\"address\":\"0000:00:10.0\",\"guest\":null,"
                + "\"policy\":\"strict\"}");
    assertThat(world.virtio.added.get("rng0"))
        .isEqualTo(
            "rng {name=rng0, policy=strict, regionBytes=16777216, bytesPerSecond=4096, seed=7,"
                + " ring=packed, inOrder=true}");
    run(
        "device:add",
        "console",
        "--name",
        "tty",
        "--ports=4",
        "--port-names",
        ",log",
        "--slot",
        "00:07.0",
        "--queue-size=32",
        "--columns=132",
        "--rows",
        "43",
        "--buffer",
        "1k");
    assertThat(world.virtio.added.get("tty"))
        .isEqualTo(
            "console {name=tty, policy=hint, regionBytes=16777216, queueSize=32, slot=00:07.0,"
                + " ports=4, portNames=,log, columns=132, rows=43, bufferBytes=1024}");
    run(
        "device:add",
        "net",
        "--mac",
        "52:54:00:12:34:56",
        "--segment=lan",
        "--queue-pairs",
        "2",
        "--mtu=9000",
        "--snap-length",
        "64");
    assertThat(world.virtio.added.get("net0"))
        .contains("mac=52:54:00:12:34:56, segment=lan, queuePairs=2, mtu=9000, snapLength=64");
    assertThat(run("virtio:list", "--json").toString()).contains("\"rng0\"", "\"tty\"", "\"net0\"");
  }

  @Test
  void aDiskTakesFurtherPropertiesToo() throws InterruptedException {
    run(
        "device:add",
        "blk",
        "--backend=memory",
        "--size=1m",
        "--write-cache",
        "off",
        "--size-max=64k",
        "--ring",
        "both");
    assertThat(world.virtio.added.get("disk0"))
        .contains("writeCache=false", "sizeMax=65536", "ring=both", "backend=memory");
    run("device:add", "blk", "--backend=memory", "--size=1m");
    assertThat(world.virtio.added).containsOnlyKeys("disk0");
    assertThat(world.virtio.specs).hasSize(2);
  }

  @Test
  void saysWhatTheGuestCallsANetworkDevice() throws InterruptedException {
    assertThat(run("device:add", "net", "--json").toString())
        .isEqualTo(
            "{\"name\":\"net0\",\"type\":\"net\",\"address\":\"0000:00:06.0\","
                + "\"guest\":\"eth0\",\"policy\":\"hint\"}");
  }

  @Test
  void anyTypeTakesEveryPropertyOfTheTransport() throws InterruptedException {
    run(
        "device:add",
        "net",
        "--ring=split",
        "--in-order=off",
        "--indirect=off",
        "--event-idx=off",
        "--hide=RING_RESET,SUSPEND",
        "--vendor-id=0x1234",
        "--addressing=offset",
        "--region-location=bar",
        "--region-group=pair",
        "--region-functions=3",
        "--scrub-on-reset=off",
        "--region-without-bus-master=off",
        "--mixing=all-or-nothing",
        "--caching=uncached",
        "--read-line-ns=100",
        "--write-line-ns=50",
        "--swiotlb-bit=42",
        "--dmb=off",
        "--dmb-bit=45",
        "--dmb-register=68",
        "--dmb-shm-id=1",
        "--spin-us=0");
    assertThat(world.virtio.added.get("net0"))
        .isEqualTo(
            "net {name=net0, policy=hint, regionBytes=16777216, ring=split, inOrder=false,"
                + " indirect=false, eventIdx=false, hide=RING_RESET,SUSPEND, vendorId=0x1234,"
                + " addressing=offset, regionLocation=bar, regionGroup=pair, regionFunctions=3,"
                + " scrubOnReset=false, regionWithoutBusMaster=false, mixing=all-or-nothing,"
                + " caching=uncached, readLineNs=100, writeLineNs=50, swiotlbBit=42, dmb=off,"
                + " dmbBit=45, dmbRegister=68, dmbShmId=1, spinUs=0}");
  }

  @Test
  void mistypedOptionsAreOneLine() {
    for (final String command :
        List.of(
            "net:ip",
            "net:list",
            "net:link",
            "net:ping",
            "net:throughput",
            "console:attach",
            "console:list",
            "console:resize",
            "console:add-port",
            "console:remove-port",
            "guest:hwrng",
            "guest:suspend",
            "guest:resume",
            "virtio:save",
            "virtio:restore",
            "device:add",
            "device:resize")) {
      assertThatThrownBy(() -> run(command, "--jsno"))
          .as(command)
          .isInstanceOf(UsageException.class)
          .hasMessageStartingWith(command + ": unknown option '--jsno'; valid: ")
          .message()
          .doesNotContain("\n");
    }
  }

  @Test
  void resizesADisk() throws InterruptedException {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
    assertThat(run("device:resize", "vda", "2m", "--json").toString())
        .isEqualTo("{\"name\":\"disk0\",\"disk\":\"vda\",\"sizeBytes\":2097152}");
    assertThat(world.virtio.disk("disk0").capacityBytes()).isEqualTo(2 << 20);
  }

  @Test
  void readsRandomBytesOfTheGuest() throws InterruptedException {
    assertThatThrownBy(() -> run("guest:hwrng")).hasMessageContaining("device:add rng");
    world.guest.sources.add(new Counting("hwrng0"));
    world.guest.sources.add(new Counting("hwrng1"));
    assertThat(run("guest:hwrng", "hwrng1", "--bytes", "4", "--json").toString())
        .isEqualTo("{\"source\":\"hwrng1\",\"bytes\":4,\"hex\":\"00010203\"}");
    assertThatThrownBy(() -> run("guest:hwrng", "x")).hasMessageContaining("hwrng0, hwrng1");
  }

  private record Counting(String name) implements Entropy {
    @Override
    public String address() {
      return "0000:00:05.0";
    }

    @Override
    public boolean live() {
      return true;
    }

    @Override
    public long received() {
      return 0;
    }

    @Override
    public void read(final byte[] into, final Duration timeout) {
      for (int i = 0; i < into.length; i++) {
        into[i] = (byte) i;
      }
    }
  }

  private FakeConsole console() {
    final FakeConsole console = new FakeConsole("con0");
    world.consoles.add(console);
    return console;
  }

  @Test
  void printsWhatAConsoleHasSaid() throws InterruptedException {
    console().port().say("w\u00e4lcome\r\n# ");
    assertThat(run("console:attach", "con0", "--json").toString())
        .isEqualTo(
            "{\"device\":\"con0\",\"port\":0,\"receivedBytes\":12,\"sentBytes\":0,"
                + "\"droppedBytes\":0,\"found\":true,\"text\":\"w\u00e4lcome\\r\\n# \"}");
    assertThat(run("console:attach", "con0", "--input", "uname", "--json").toString())
        .contains("\"text\":\"uname\\r\\n\"", "\"sentBytes\":6");
    assertThat(run("console:attach", "con0", "--input=uname", "--until", "uname\r\n").toString())
        .contains("uname");
    final JsonDocument missing =
        (JsonDocument)
            run("console:attach", "con0", "--until", "never", "--wait-ms", "5", "--json");
    assertThat(missing.failed()).isTrue();
    assertThatThrownBy(() -> run("console:attach", "con1"))
        .hasMessage("unknown console 'con1'; valid: con0");
    assertThatThrownBy(() -> run("console:attach", "con0", "log"))
        .hasMessage("unknown port 'log' of con0; valid: 0");
  }

  @Test
  void changesPortsAndSize() throws InterruptedException {
    final FakeConsole console = console();
    run("console:add-port", "con0", "log");
    assertThat(console.ports()).hasSize(2);
    run("console:resize", "con0", "132", "43");
    assertThat(run("console:list", "--json").toString())
        .startsWith("{\"ports\":[{\"device\":\"con0\",\"port\":0,")
        .contains("\"columns\":132,\"rows\":43", "\"name\":\"log\"");
    run("console:remove-port", "con0", "log");
    assertThat(console.ports()).hasSize(1);
  }

  @Test
  void conversesOnATerminalUntilTheEscape() throws InterruptedException {
    final FakeConsole console = console();
    console.port().say("# ");
    final Screen screen = new Screen("h\u00e4\r\u001dlost");
    final Object result =
        new CommandFunction(
                Objects.requireNonNull(Commands.find("console:attach")), world, v -> screen)
            .execute(session(), List.of("con0", "--json"));
    assertThat(screen.shown.toString()).contains("# ", "h\u00e4\r\n");
    assertThat(screen.modes).containsExactly("raw", "cooked");
    assertThat(result.toString()).contains("\"sentBytes\":4", "\"text\":\"\"");
    assertThat(console.port().attached()).isFalse();
    console.port().gone = true;
    final Screen gone = new Screen("");
    new CommandFunction(Objects.requireNonNull(Commands.find("console:attach")), world, v -> gone)
        .execute(session(), List.of("con0"));
    assertThat(gone.shown.toString()).contains("the port is gone");
  }

  /** Keys that are pressed one after the other. */
  private static final class Screen implements Terminal {
    final StringBuilder shown = new StringBuilder();
    final List<String> modes = new ArrayList<>();
    private final ArrayDeque<Integer> keys = new ArrayDeque<>();

    Screen(final String text) {
      // one look for output between two keys
      text.chars()
          .forEach(
              key -> {
                keys.add(key);
                keys.add(NONE);
              });
    }

    @Override
    public Raw raw() {
      modes.add("raw");
      return () -> modes.add("cooked");
    }

    @Override
    public int key(final long timeoutMs) {
      return keys.isEmpty() ? NONE : keys.remove();
    }

    @Override
    public void show(final String text) {
      shown.append(text);
    }
  }

  /** A session without variables. */
  private static CommandSession session() {
    return (CommandSession)
        Proxy.newProxyInstance(
            CommandSession.class.getClassLoader(),
            new Class<?>[] {CommandSession.class},
            (proxy, method, arguments) -> null);
  }
}
