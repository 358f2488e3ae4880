package io.carom.shell.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.shell.command.CommandFunction;
import io.carom.shell.command.Commands;
import io.carom.shell.fake.FakeWorld;
import java.util.Arrays;
import java.util.Objects;
import java.util.regex.Pattern;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.Test;

class SizeTextTest {
  private static final String[] DEVICE = {
    "--queues", "4", "--queue-size", "256", "--depth", "32", "--bs", "64k", "--min-align", "4k"
  };

  @Test
  void explainsEachTerm() throws InterruptedException {
    final String text = text(run(DEVICE));
    assertThat(text)
        .startsWith(
            "4 queue(s) of 256 entries, 32 request(s) of at most 64 KiB in flight on each: 128 in"
                + " flight\n\nSlots of 2 KiB, as Linux's swiotlb\n  largest mapping")
        .contains(
            "\n  slots per mapping            33  data and alignment loss in whole slots\n",
            "slots: where a mapping may begin, for min_align_mask 0xfff\n",
            "slot sets, 10.8 MiB: all in flight\n",
            "regionBytes=24117248: reserve and 2x the peak, in MiB; its BAR takes 32 MiB\n",
            "\nPages of 4 KiB, as a driver of VIRTIO_F_DMB\n");
    assertThat(text.lines().skip(3)).allMatch(SizeTextTest::hasTermValueAndReason);
  }

  @Test
  void sizesANetworkDeviceByPages() throws InterruptedException {
    final String text = text(run("--net", "--queues", "8", "--queue-size", "256", "--bs", "64k"));
    assertThat(text)
        .startsWith(
            "8 queue pair(s) of 256 entries, 1 packet(s) of at most 64 KiB in flight on each: 8 in"
                + " flight\n")
        .contains(
            "pages per request: 17 pieces, of each the whole pages\n",
            "pages per receive queue: it is full of mergeable buffers, a page each\n")
        .containsPattern(
            "needed +8\\.8 MiB +first page, rings, receive buffers and peak; at least 5 pages\n");
    final JsonObject json =
        JsonParser.parseString(
                run("--net", "--queues", "64", "--queue-size", "1024", "--bs", "64k", "--json")
                    .toString())
            .getAsJsonObject();
    assertThat(json.get("net").getAsBoolean()).isTrue();
    assertThat(json.get("segments").getAsInt()).isEqualTo(17);
    assertThat(json.getAsJsonObject("pages").get("neededBytes").getAsLong())
        .isEqualTo(67_713L * 4096);
  }

  private static boolean hasTermValueAndReason(final String line) {
    return line.isEmpty()
        || line.startsWith("Pages")
        || Pattern.matches(" {2}\\S.*? {2,}\\d.*? {2}\\S.*", line);
  }

  @Test
  void hasUnitsInItsKeys() throws InterruptedException {
    final String[] arguments = Arrays.copyOf(DEVICE, DEVICE.length + 1);
    arguments[DEVICE.length] = "--json";
    final JsonObject json = JsonParser.parseString(run(arguments).toString()).getAsJsonObject();
    assertThat(json.get("requestBytes").getAsLong()).isEqualTo(65536);
    assertThat(json.get("requestsInFlight").getAsLong()).isEqualTo(128);
    final JsonObject slots = json.getAsJsonObject("slots");
    assertThat(slots.get("recommendedBytes").getAsLong()).isEqualTo(23 << 20);
    assertThat(slots.get("largestMappingBytes").getAsLong()).isEqualTo(258048);
    assertThat(json.getAsJsonObject("pages").keySet())
        .contains(
            "dataPagesPerRequest",
            "ringPagesPerQueue",
            "peakBytes",
            "recommendedBytes",
            "tablePagesPerRequest",
            "receivePagesPerQueue",
            "leastPages");
  }

  private static Object run(final String... arguments) throws InterruptedException {
    return new CommandFunction(
            Objects.requireNonNull(Commands.find("swiotlb:size")), new FakeWorld())
        .execute(arguments, line -> {});
  }

  private static String text(final Object result) {
    return String.valueOf(
        new ResultConverter().format(result, Converter.INSPECT, new ResultConverter()));
  }
}
