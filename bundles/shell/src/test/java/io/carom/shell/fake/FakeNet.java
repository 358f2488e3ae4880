package io.carom.shell.fake;

import io.carom.guest.Network;
import io.carom.guest.NetworkInterface;
import io.carom.virtio.NetHost;
import io.carom.virtio.NetPortInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Two interfaces and the ports that they are plugged into; answers what it is told to. */
public final class FakeNet implements Network, NetHost {
  private final Map<String, String> addresses = new TreeMap<>();
  private final Map<String, Boolean> links = new TreeMap<>(Map.of("net0", true, "net1", true));

  /** Jobs that were run. */
  public final List<Object> jobs = new ArrayList<>();

  /** Datagrams and requests that get lost. */
  public long lost;

  /** The interfaces. */
  public List<NetworkInterface> interfaces() {
    return List.of(new Eth(0), new Eth(1));
  }

  private final class Eth implements NetworkInterface {
    private final int number;

    Eth(final int number) {
      this.number = number;
    }

    @Override
    public String name() {
      return "eth" + number;
    }

    @Override
    public String address() {
      return "0000:00:0" + (6 + number) + ".0";
    }

    @Override
    public String mac() {
      return "02:00:00:00:00:0" + number;
    }

    @Override
    public int mtu() {
      return 1500;
    }

    @Override
    public String ipv4() {
      return addresses.getOrDefault(name(), "169.254.1." + number + "/16");
    }

    @Override
    public int queuePairs() {
      return 2;
    }

    @Override
    public boolean linkUp() {
      return links.getOrDefault("net" + number, false);
    }

    @Override
    public boolean live() {
      return true;
    }

    @Override
    public NetCounters counters() {
      return new NetCounters(10, 1000, 1, 20, 2000, 2, 3, 4, 0);
    }
  }

  @Override
  public NetworkInterface address(final String name, final String address) {
    final NetworkInterface found = find(name);
    addresses.put(name, address);
    return found;
  }

  private NetworkInterface find(final String name) {
    return interfaces().stream()
        .filter(net -> net.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no interface '" + name + "': there are eth0, eth1"));
  }

  @Override
  public PingResult ping(final PingJob job) {
    find(job.from());
    jobs.add(job);
    return new PingResult(
        job.from(),
        "10.0.0.1",
        job.to(),
        "10.0.0.2",
        job.count(),
        job.count() - lost,
        lost,
        0,
        10.5,
        20.25,
        30);
  }

  @Override
  public ThroughputResult throughput(final ThroughputJob job) {
    jobs.add(job);
    return new ThroughputResult(
        job.from(),
        job.to(),
        1472,
        job.jobs(),
        job.runtimeMs(),
        1000,
        1000 - lost,
        lost,
        0,
        0,
        0,
        1_472_000,
        500,
        0.7,
        0,
        7,
        null,
        job.seed());
  }

  @Override
  public List<NetPortInfo> ports() {
    return links.keySet().stream().map(this::port).toList();
  }

  private NetPortInfo port(final String name) {
    return new NetPortInfo(
        name,
        "02:00:00:00:00:00",
        "lan0",
        links.getOrDefault(name, false),
        1500,
        2,
        2,
        10,
        1000,
        20,
        2000,
        Map.of("rx no buffer", 3L),
        null,
        0,
        0);
  }

  @Override
  public NetPortInfo link(final String name, final boolean up) {
    if (!links.containsKey(name)) {
      throw new IllegalArgumentException("there is no network device '" + name + "'");
    }
    links.put(name, up);
    return port(name);
  }
}
