package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;

/**
 * What tests do with a guest, in their words: plug disks, put load on them, swap strategies, look
 * at counters. All of it goes through the shell; what was begun is ended by {@link #close}.
 */
final class GuestKit {
  private final Commands carom;
  private final List<Disk> disks = new ArrayList<>();
  private final List<Load> loads = new ArrayList<>();
  private int lastNumber;

  GuestKit(final Commands carom) {
    this.carom = carom;
  }

  /** The shell. */
  Commands carom() {
    return carom;
  }

  /** Plugs a disk of 16 MiB in memory; further options are those of {@code device:add}. */
  Disk addDisk(final String policy, final String... options) throws Exception {
    lastNumber++;
    return addNamed("disk" + lastNumber, policy, options);
  }

  /** Plugs a disk of a name. */
  Disk addNamed(final String host, final String policy, final String... options) throws Exception {
    final String line =
        "device:add blk --backend memory --size 16m --name " + host + " --policy " + policy;
    final JsonObject added = carom.json(line + " " + String.join(" ", options));
    assertThat(added.get("name").getAsString()).isEqualTo(host);
    final Disk disk =
        new Disk(host, added.get("disk").getAsString(), added.get("address").getAsString());
    disks.add(disk);
    return disk;
  }

  /** Unplugs a disk; an option is {@code --force}. */
  JsonObject remove(final Disk disk, final String... options) throws Exception {
    disks.remove(disk);
    return carom.json("device:remove " + disk.host() + " " + String.join(" ", options));
  }

  /** Runs a workload with verification to its end. */
  JsonObject fio(final Disk disk, final String options) throws Exception {
    return carom.json("fio --device=" + disk.name() + " --verify=crc32c " + options);
  }

  /** Runs a workload and asserts that each byte was right and no request was lost. */
  JsonObject fioIntact(final Disk disk, final String options) throws Exception {
    final JsonObject result = fio(disk, options);
    assertThat(number(result, "corruptBlocks")).as("%s", result).isZero();
    assertThat(number(result, "lostRequests")).as("%s", result).isZero();
    assertThat(number(result, "verifiedBytes")).as("%s", result).isPositive();
    return result;
  }

  /** Starts verified load, and returns when requests flow. */
  Load load(final Disk disk, final String options) throws Exception {
    final Load load = new Load(this, disk, options).start();
    loads.add(load);
    load.awaitRequests(1);
    return load;
  }

  /** Swaps a device's strategy and waits for the end of the swap. */
  JsonObject use(final String device, final String strategy, final String... options)
      throws Exception {
    return carom.json("dma:use " + strategy + " " + device + " " + String.join(" ", options));
  }

  /** The DMA counters of a device. */
  JsonObject stat(final String device) throws Exception {
    return list("dma:stat " + device).getFirst();
  }

  /** What the host says of a disk. */
  JsonObject info(final Disk disk) throws Exception {
    return carom.json("virtio:info " + disk.host());
  }

  /** Names of the feature bits of a disk: all that were offered, or those that were accepted. */
  List<String> features(final Disk disk, final boolean accepted) throws Exception {
    return list("virtio:features " + disk.host()).stream()
        .filter(feature -> feature.get(accepted ? "accepted" : "offered").getAsBoolean())
        .map(feature -> feature.get("name").getAsString())
        .toList();
  }

  /** The rows of a command whose JSON is a list. */
  List<JsonObject> list(final String line) throws Exception {
    final JsonArray rows =
        carom.json(line).entrySet().stream()
            .map(entry -> entry.getValue())
            .filter(JsonElement::isJsonArray)
            .findFirst()
            .orElseThrow()
            .getAsJsonArray();
    return StreamSupport.stream(rows.spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  /** A counter, or another number. */
  static long number(final JsonObject row, final String key) {
    return row.get(key).getAsLong();
  }

  /** A text, or the word {@code null}. */
  static String text(final JsonObject row, final String key) {
    return row.get(key).isJsonNull() ? "null" : row.get(key).getAsString();
  }

  /** What a line is refused with: one line for people. */
  String refusal(final String line) {
    final Throwable thrown = catchThrowable(() -> carom.command(line));
    assertThat(thrown).as("%s", line).isNotNull();
    final String message = String.valueOf(thrown.getMessage());
    assertThat(message).as("%s", line).isNotBlank().doesNotContain("\n");
    return message;
  }

  /** Ends loads and takes disks out; fails when one cannot be. */
  void close() throws Exception {
    for (final Load load : loads) {
      load.end();
    }
    loads.clear();
    for (final Disk disk : List.copyOf(disks)) {
      remove(disk);
    }
  }
}
