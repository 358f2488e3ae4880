package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Test;

/** Two network devices on a segment: pings and verified datagrams, over bounce buffers, swapped. */
public class NetIT extends ContainerTest {
  private static final List<String> NAMES = List.of("net0", "net1");

  private final List<String> added = new ArrayList<>();

  @After
  public void removeDevices() {
    for (final String name : added) {
      host.remove(name, Duration.ofSeconds(10), true);
    }
  }

  private void add(final String name, final Map<String, Object> more) {
    final Map<String, Object> properties = new HashMap<>(more);
    properties.put("name", name);
    host.add("net", properties);
    added.add(name);
  }

  private void addBoth(final Map<String, Object> more) throws Exception {
    for (final String name : NAMES) {
      add(name, more);
    }
    Await.until("the guest drives both", () -> guest.networkInterfaces().size() == NAMES.size());
  }

  private String address(final int number) {
    return guest.networkInterfaces().get(number).address();
  }

  private JsonObject throughput(final String options) throws Exception {
    final JsonObject result = kit.carom().json("net:throughput eth0 eth1 --seconds 120 " + options);
    assertThat(GuestKit.number(result, "corrupt")).as("%s", result).isZero();
    assertThat(GuestKit.number(result, "lost")).as("%s", result).isZero();
    assertThat(GuestKit.number(result, "verifiedBytes")).as("%s", result).isPositive();
    return result;
  }

  @Test
  public void packetsPassThroughTheRegion() throws Exception {
    addBoth(Map.of("policy", "strict", "queuePairs", 2));
    final JsonObject ping = kit.carom().json("net:ping eth0 eth1 --count 20");
    assertThat(GuestKit.number(ping, "received")).as("%s", ping).isEqualTo(20);
    final JsonObject result = throughput("--jobs 2 --datagrams 2000");
    assertThat(GuestKit.number(result, "received")).isEqualTo(4000);
    assertThat(host.devices())
        .filteredOn(info -> NAMES.contains(info.name()))
        .hasSize(2)
        .allSatisfy(
            info -> {
              assertThat(info.systemMemoryAccesses()).as("accesses to system memory").isZero();
              assertThat(info.ownRegionAccesses()).isPositive();
              assertThat(info.requests()).isPositive();
            });
  }

  @Test
  public void strategiesAreSwappedMeanwhile() throws Exception {
    addBoth(Map.of());
    final CompletableFuture<JsonObject> run =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return throughput("--jobs 2 --datagrams 30000");
              } catch (final Exception e) {
                throw new IllegalStateException(e);
              }
            });
    final List<String> strategies = control.allowed(address(0));
    assertThat(strategies).hasSizeGreaterThanOrEqualTo(3);
    int swaps = 0;
    while (!run.isDone() && swaps < 12) {
      // buffers that wait for packets are mapped all the time: what is left is adopted
      kit.use(address(swaps % 2), strategies.get(swaps % strategies.size()), "--drain-ms 200");
      swaps++;
    }
    assertThat(swaps).isPositive();
    final JsonObject result = run.get(300, TimeUnit.SECONDS);
    assertThat(GuestKit.number(result, "received")).isEqualTo(60_000);
  }

  @Test
  public void theLinkIsTakenDownAndUp() throws Exception {
    addBoth(Map.of());
    kit.carom().json("net:ip eth0 10.1.0.1/24");
    kit.carom().json("net:ip eth1 10.1.0.2/24");
    assertThat(GuestKit.number(kit.carom().json("net:ping eth0 10.1.0.2"), "lost")).isZero();
    kit.carom().json("net:link net1 down");
    Await.until("the guest sees it", () -> !guest.networkInterfaces().get(1).linkUp());
    assertThat(kit.list("net:link"))
        .anySatisfy(
            port -> {
              assertThat(GuestKit.text(port, "name")).isEqualTo("net1");
              assertThat(port.get("linkUp").getAsBoolean()).isFalse();
            });
    kit.carom().json("net:link net1 up");
    Await.until("the guest sees it", () -> guest.networkInterfaces().get(1).linkUp());
    assertThat(GuestKit.number(kit.carom().json("net:ping eth0 10.1.0.2"), "lost")).isZero();
  }

  @Test
  public void framesAreCaptured() throws Exception {
    final Path file = Files.createTempFile("carom", ".pcapng");
    try {
      add("net0", Map.of("capture", file.toString()));
      add("net1", Map.of());
      Await.until("the guest drives both", () -> guest.networkInterfaces().size() == 2);
      kit.carom().json("net:ping eth0 eth1 --count 3");
      host.remove("net0", Duration.ofSeconds(10), true);
      added.remove("net0");
      // a request and an answer for the address, then three of each
      assertThat(packets(file)).isGreaterThanOrEqualTo(8);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static int packets(final Path file) throws IOException {
    final ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int packets = 0;
    while (all.hasRemaining()) {
      final int start = all.position();
      packets += all.getInt() == 6 ? 1 : 0;
      all.position(start + all.getInt());
    }
    return packets;
  }

  @Test
  public void whatCannotBeIsToldInOneLine() throws Exception {
    add("net0", Map.of("mac", "02:00:00:00:00:01"));
    for (final Map.Entry<Map<String, Object>, String> wrong :
        Map.<Map<String, Object>, String>of(
                Map.of("mac", "02:00:00:00:00:01"), "is that of device net0",
                Map.of("queuePairs", 9), "queuePairs=9 is not in 1..8",
                Map.of("mtu", 20), "mtu=20 is not in 68..65535",
                Map.of("segment", "a b"), "segment='a b'",
                Map.of("capture", "/nonexistent/x"), "capture=/nonexistent/x")
            .entrySet()) {
      final Map<String, Object> properties = new HashMap<>(wrong.getKey());
      properties.put("name", "net1");
      assertThat(catchThrowable(() -> host.add("net", properties)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(wrong.getValue());
    }
  }
}
