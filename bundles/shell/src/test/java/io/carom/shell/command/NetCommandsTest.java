package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.guest.Network.PingJob;
import io.carom.guest.Network.ThroughputJob;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.Failing;
import io.carom.shell.text.ResultConverter;
import java.util.Arrays;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.Test;

class NetCommandsTest {
  private final FakeWorld world = new FakeWorld();

  private Object run(final String command, final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find(command)), world)
        .execute(arguments, line -> {});
  }

  private JsonObject json(final String command, final String... arguments)
      throws InterruptedException {
    final String[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = "--json";
    return JsonParser.parseString(run(command, all).toString()).getAsJsonObject();
  }

  private static String text(final Object result) {
    return String.valueOf(
        new ResultConverter().format(result, Converter.INSPECT, new ResultConverter()));
  }

  @Test
  void listsInterfaces() throws InterruptedException {
    assertThat(text(run("net:list")))
        .contains("NAME", "eth0", "169.254.1.0/16", "02:00:00:00:00:01", "up");
    final JsonObject first = json("net:list").getAsJsonArray("interfaces").get(0).getAsJsonObject();
    assertThat(first.get("name").getAsString()).isEqualTo("eth0");
    assertThat(first.get("mtu").getAsInt()).isEqualTo(1500);
    assertThat(first.get("rxBytes").getAsLong()).isEqualTo(2000);
    assertThat(first.get("linkUp").getAsBoolean()).isTrue();
  }

  @Test
  void givesAddresses() throws InterruptedException {
    run("net:ip", "eth1", "10.0.0.2/24");
    assertThat(text(run("net:list"))).contains("10.0.0.2/24");
    assertThatThrownBy(() -> run("net:ip", "eth7", "10.0.0.2/24"))
        .hasMessage("there is no interface 'eth7': there are eth0, eth1");
    assertThatThrownBy(() -> run("net:ip", "eth1"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("usage: net:ip");
  }

  @Test
  void setsAndShowsLinks() throws InterruptedException {
    assertThat(text(run("net:link"))).contains("net0", "net1", "3 rx no buffer", "lan0");
    assertThat(json("net:link", "net1", "down").get("linkUp").getAsBoolean()).isFalse();
    assertThat(json("net:link", "net1").get("linkUp").getAsBoolean()).isFalse();
    final JsonObject drops =
        json("net:link").getAsJsonArray("ports").get(0).getAsJsonObject().getAsJsonObject("drops");
    assertThat(drops.get("rx no buffer").getAsLong()).isEqualTo(3);
    assertThatThrownBy(() -> run("net:link", "net1", "sideways"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("sideways")
        .hasMessageContaining("up")
        .message()
        .doesNotContain("\n");
    assertThatThrownBy(() -> run("net:link", "net9"))
        .hasMessage("there is no network device 'net9': there are net0, net1");
  }

  @Test
  void pings() throws InterruptedException {
    final Object result = run("net:ping", "eth0", "eth1", "--count", "7", "--size", "1k");
    assertThat(world.net.jobs).containsExactly(new PingJob("eth0", "eth1", 7, 1024, 0, 2000));
    assertThat(text(result))
        .contains("PING eth1 (10.0.0.2) from eth0 (10.0.0.1): 1024 data bytes")
        .contains("7 packets transmitted, 7 received, 0% packet loss, 0 corrupt")
        .contains("round-trip min/avg/max = 10.5/20.3/30.0 us");
    assertThat(((Failing) result).failed()).isFalse();
    world.net.lost = 1;
    assertThat(((Failing) run("net:ping", "eth0", "eth1")).failed()).isTrue();
    assertThat(json("net:ping", "eth0", "eth1").get("lost").getAsLong()).isEqualTo(1);
    assertThatThrownBy(() -> run("net:ping", "eth0", "eth1", "--cuont", "7"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("unknown option '--cuont'")
        .hasMessageContaining("--count");
  }

  @Test
  void measuresThroughput() throws InterruptedException {
    final Object result =
        run("net:throughput", "eth0", "eth1", "--seconds", "1500ms", "--jobs", "2", "--randseed=9");
    assertThat(world.net.jobs).containsExactly(new ThroughputJob("eth0", "eth1", 1500, 0, 2, 0, 9));
    assertThat(text(result))
        .contains("eth0 (-) -> eth1 (-): 1472 bytes, 2 jobs, seed=9")
        .contains("1000 sent, 1000 received, 0 lost")
        .contains("7 map failures");
    assertThat(((Failing) result).failed()).isFalse();
    world.net.lost = 4;
    final Object lossy = run("net:throughput", "eth0", "eth1");
    assertThat(((Failing) lossy).failed()).isTrue();
    assertThat(json("net:throughput", "eth0", "eth1").get("mibPerSecond").getAsDouble())
        .isEqualTo(0.7);
  }
}
