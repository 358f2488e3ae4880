package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The devices of a row's machine, and the load on them. */
final class MatrixLoadKit {
  private final GuestKit kit;
  private final Disk disk;
  private final List<String> interfaces;
  private final String source;
  private boolean lossy;

  private MatrixLoadKit(
      final GuestKit kit, final Disk disk, final List<String> interfaces, final String source) {
    this.kit = kit;
    this.disk = disk;
    this.interfaces = interfaces;
    this.source = source;
  }

  /** Plugs a disk, two interfaces and a source of random bytes with a policy each. */
  static MatrixLoadKit plug(
      final GuestKit kit, final String disk, final String net, final String rng) throws Exception {
    final Disk blk = kit.addDisk(disk, "--queues 2");
    final List<String> interfaces =
        List.of(add(kit, "net", "net0", net), add(kit, "net", "net1", net));
    return new MatrixLoadKit(kit, blk, interfaces, add(kit, "rng", "rng0", rng));
  }

  private static String add(
      final GuestKit kit, final String type, final String name, final String policy)
      throws Exception {
    final JsonObject added =
        kit.carom().json("device:add " + type + " --name " + name + " --policy " + policy);
    return GuestKit.text(added, "guest");
  }

  /**
   * Says whether the network loses frames, as it may with device models that hang; what is lost is
   * sent again by who uses the network. Of the load that begins next.
   */
  void lossy(final boolean value) {
    lossy = value;
  }

  GuestKit kit() {
    return kit;
  }

  Disk disk() {
    return disk;
  }

  /** What the guest calls its devices. */
  List<String> names() {
    return List.of(disk.name(), interfaces.get(0), interfaces.get(1), source);
  }

  /** What the host calls its devices, in the same order. */
  List<String> hosts() {
    return List.of(disk.host(), "net0", "net1", "rng0");
  }

  /** Gives disk and interfaces their strategies. */
  void use(final List<String> strategies) throws Exception {
    for (int i = 0; i < strategies.size(); i++) {
      kit.use(hosts().get(i), strategies.get(i), "--drain-ms 1000");
    }
  }

  /** Starts load on all of them. */
  void begin() throws Exception {
    kit.carom().command("matrix:begin " + String.join(" ", names()) + " " + lossy);
  }

  /** Waits until each has done so much more. */
  void awaitMore(final long more) throws Exception {
    final long[] before = done();
    Await.until(
        more + " more of each of " + names() + " than " + Arrays.toString(before),
        () -> {
          final long[] now = done();
          for (int i = 0; i < now.length; i++) {
            if (now[i] < before[i] + more) {
              return false;
            }
          }
          return true;
        });
  }

  private long[] done() throws Exception {
    final String line = kit.carom().command("matrix:done").trim();
    return Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray();
  }

  /** Ends the load. */
  Totals end() throws Exception {
    return new Totals(
        kit.carom()
            .command("matrix:end")
            .lines()
            .filter(line -> !line.isBlank())
            .map(Part::of)
            .toList());
  }

  /** What all of them found. */
  record Totals(List<Part> parts) {
    /** Asserts that nothing was wrong or lost, and that no pause was longer. */
    void assertIntact(final double pauseMs) {
      assertThat(parts).hasSize(4);
      assertThat(parts)
          .allSatisfy(
              part -> {
                assertThat(part.trouble()).as("%s", part).isEmpty();
                assertThat(part.corrupt()).as("corrupt: %s", part).isZero();
                assertThat(part.lost()).as("lost: %s", part).isZero();
                assertThat(part.done()).as("%s", part).isPositive();
                assertThat(part.pauseMs()).as("pause: %s", part).isLessThan(pauseMs);
              });
    }

    /** Asserts that nothing was wrong; what was lost is lost. */
    void assertNothingWrong() {
      assertThat(parts)
          .hasSize(4)
          .allSatisfy(part -> assertThat(part.corrupt()).as("corrupt: %s", part).isZero());
    }

    @Override
    public String toString() {
      return String.join("; ", parts.stream().map(Part::toString).toList());
    }
  }

  /** What one found. */
  record Part(
      String kind, long done, long corrupt, long lost, long again, double pauseMs, String trouble) {
    static Part of(final String line) {
      final String[] words = line.split(" ", 7);
      return new Part(
          words[0],
          Long.parseLong(words[1]),
          Long.parseLong(words[2]),
          Long.parseLong(words[3]),
          Long.parseLong(words[4]),
          Double.parseDouble(words[5]),
          words[6].trim());
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s %d done, %d corrupt, %d lost, %d sent again, pause %.1f ms%s",
          kind,
          done,
          corrupt,
          lost,
          again,
          pauseMs,
          trouble.isEmpty() ? "" : " (" + trouble + ")");
    }
  }
}
