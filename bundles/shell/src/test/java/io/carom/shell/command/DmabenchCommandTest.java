package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchMode;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.text.ResultConverter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DmabenchCommandTest {
  private final FakeWorld world = new FakeWorld();
  private final List<String> progress = new ArrayList<>();

  @Test
  void hasTheKernelsDefaults() throws InterruptedException {
    run("");
    assertThat(world.dmaBench.jobs).containsExactly(DmaBenchJob.defaults(20_000));
    assertThat(progress).containsExactly("dmabench: strategy null");
  }

  @ParameterizedTest
  @CsvSource({
    "-t 2 -s 3 -n 0 -b 24 -d 2 -x 100 -g 64 -m 1",
    "-t2 -s3 -n0 -b24 -d2 -x100 -g64 -m1",
    "-m1 -g64 -x100 -d2 -b24 -n0 -s3 -t2"
  })
  void understandsTheKernelsOptions(final String options) throws InterruptedException {
    run(options + " --strategy swiotlb-fixed --extents device --region 8m --fill 90 --seed 7 --ns");
    assertThat(world.dmaBench.jobs)
        .containsExactly(
            new DmaBenchJob(
                2,
                3000,
                0,
                24,
                DmaDirection.FROM_DEVICE,
                100,
                64,
                DmaBenchMode.SG_MODE,
                true,
                "swiotlb-fixed",
                ExtentKind.DEVICE,
                8 << 20,
                90,
                7));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-m 2|invalid map mode, SINGLE_MODE:0, SG_MODE: 1",
        "-m -1|invalid map mode, SINGLE_MODE:0, SG_MODE: 1",
        "-t 0|invalid number of threads, must be in 1-1024",
        "-t 1025|invalid number of threads, must be in 1-1024",
        "-s 0|invalid number of seconds, must be in 1-300",
        "-s 301|invalid number of seconds, must be in 1-300",
        "-x -1|invalid transmit delay, must be in 0-10000000",
        "-x 10000001|invalid transmit delay, must be in 0-10000000",
        "-b 19|invalid dma mask bit, must be in 20-64",
        "-b 65|invalid dma mask bit, must be in 20-64",
        "-d 3|invalid dma direction",
        "-d -1|invalid dma direction",
        "-g 0|invalid granule size",
        "-g 1025|invalid granule size",
        // each hides those behind it
        "-g 0 -d 3 -b 19 -x -1 -s 0 -t 0 -m 2|invalid map mode, SINGLE_MODE:0, SG_MODE: 1",
        "-g 0 -d 3 -b 19 -x -1 -s 0 -t 0|invalid number of threads, must be in 1-1024",
        "-g 0 -d 3 -b 19 -x -1 -s 0|invalid number of seconds, must be in 1-300",
        "-g 0 -d 3 -b 19 -x -1|invalid transmit delay, must be in 0-10000000",
        "-g 0 -d 3 -b 19|invalid dma mask bit, must be in 20-64",
        "-g 0 -d 3|invalid dma direction"
      })
  void refusesAsTheKernelsTool(final String options, final String message) {
    assertThatThrownBy(() -> run(options))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
    assertThat(world.dmaBench.jobs).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"-t 1 -s 1 -b 20 -d 0 -x 0 -g 1", "-t 1024 -s 300 -b 64 -d 2 -x 10000000 -g 1024"})
  void acceptsTheLimits(final String options) throws InterruptedException {
    run(options);
    assertThat(world.dmaBench.jobs).hasSize(1);
  }

  @Test
  void printsTheKernelsThreeLines() throws InterruptedException {
    assertThat(text(run("-s 5 -g 4 -d 1")))
        .isEqualTo(
            """
            dma mapping benchmark(SINGLE_MODE): threads:1 seconds:5 node:-1 dir:TO_DEVICE granule:4
            average map latency(us):0.4 standard deviation:1.3
            average unmap latency(us):0.1 standard deviation:0.5\
            """);
  }

  @Test
  void addsNanosecondsBehindThem() throws InterruptedException {
    assertThat(text(run("--ns -m 1")))
        .startsWith("dma mapping benchmark(SG_MODE): threads:1 seconds:20 node:-1")
        .endsWith(
            """

            NS     AVERAGE  P50  P90  P99  P99.9      MAX
            map      412.3  400  500  900   2000  1000000
            unmap    120.5  110  150  200   1000    50000
            123456 maps; each figure contains about 22 ns of reading the clock\
            """);
  }

  @Test
  void hasTheKeysOfTheContract() throws InterruptedException {
    final JsonObject json =
        JsonParser.parseString(run("--json --strategy swiotlb-fixed --extents ram").toString())
            .getAsJsonObject();
    assertThat(json.keySet())
        .contains("threads", "seconds", "node", "bits", "direction", "granule", "mode")
        .contains("mapAvgUs", "mapStddevUs", "unmapAvgUs", "unmapStddevUs")
        .contains("strategy", "extents", "fillPercent", "loops", "failures")
        .contains("mapP50Ns", "mapP999Ns", "mapMaxNs", "unmapP50Ns", "unmapMaxNs");
    assertThat(json.get("seconds").getAsString()).isEqualTo("20");
    assertThat(json.get("mode").getAsString()).isEqualTo("SINGLE_MODE");
    assertThat(json.get("direction").getAsString()).isEqualTo("BIDIRECTIONAL");
    assertThat(json.get("extents").getAsString()).isEqualTo("ram");
    assertThat(json.get("mapP50Ns").isJsonNull()).isTrue();
  }

  @Test
  void passesFailuresOn() {
    world.dmaBench.failure = new IllegalStateException("ioctl: Cannot allocate memory: full");
    assertThatThrownBy(() -> run("--json")).hasMessage("ioctl: Cannot allocate memory: full");
  }

  private Object run(final String options) throws InterruptedException {
    final String[] words = options.isBlank() ? new String[0] : options.trim().split(" ");
    return new CommandFunction(Objects.requireNonNull(Commands.find("dmabench")), world)
        .execute(words, progress::add);
  }

  private static String text(final Object result) {
    return String.valueOf(
        new ResultConverter().format(result, Converter.INSPECT, new ResultConverter()));
  }
}
