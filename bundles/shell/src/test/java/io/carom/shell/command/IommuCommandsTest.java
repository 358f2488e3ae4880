package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.spi.IovaClass;
import io.carom.iommu.IommuHost.FaultInfo;
import io.carom.iommu.IommuHost.MappingRange;
import io.carom.shell.fake.FakeIommu;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.text.ResultConverter;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IommuCommandsTest {
  private final FakeWorld world = new FakeWorld();

  private FakeIommu fit() {
    final FakeIommu iommu = new FakeIommu();
    iommu.ranges.add(new MappingRange(0x100000, 0x1fffff, 0x4000_0000L, "rw"));
    iommu.ranges.add(new MappingRange(0xffff_f000L, 0xffff_ffffL, 0x4010_0000L, "r-"));
    world.iommu = iommu;
    return iommu;
  }

  @ParameterizedTest
  @CsvSource({"iommu:domains,", "iommu:map,1", "iommu:faults,", "iommu:pools,"})
  void saysHowAMachineGetsAnIommu(final String command, final String argument) {
    assertThatThrownBy(() -> run(command, argument == null ? new String[0] : new String[] {"1"}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "this machine has no IOMMU; configuration io.carom.iommu with enabled=true gives it"
                + " one");
  }

  @Test
  void countsFirstThenSaysWhatTimeIs() throws InterruptedException {
    fit();
    assertThat(text(run("iommu:domains")))
        .isEqualTo(
            """
            ASKED       MAP  UNMAP  ATTACH  DETACH  PROBE  FAILED  KICKS  FLUSHES  PAGES PINNED\
              AT MOST
            of the VMM  640    128       3       1      2       4    333       22           512\
                  600

            IOTLB HITS  MISSES  INVALIDATED
                 90001     642          129

            profile typical (modelled): kick 3000 ns; MAP 2000 + 100 ns a page;\
             UNMAP 2500 + 74 ns a page; invalidation 1000 ns; cold copies 10000 MB/s;\
             device 3200 MB/s, 13000 ns a request
            charged so far: 1.235 ms, modelled

            DOMAIN  BYPASS  ENDPOINTS        MAPPINGS  PAGES  BYTES
                 1  yes     00:05.0                 0      0    0 B
                 2  no      00:00.0,00:04.0         2    512  2 MiB

            OUTSIDE EVERY DOMAIN  ACCESSES
            00:06.0               blocked\
            """);
  }

  @Test
  void callsACalibratedProfileCalibrated() throws InterruptedException {
    fit().profile = FakeIommu.costs("series", true);
    assertThat(text(run("iommu:domains")))
        .contains("profile series (calibrated to published results): kick")
        .contains("1.235 ms, calibrated")
        .doesNotContain("modelled");
  }

  @Test
  void givesDomainsAsJson() throws InterruptedException {
    fit();
    final JsonObject json = json(run("iommu:domains", "--json"));
    assertThat(json.keySet())
        .containsExactly(
            "counters", "driver", "iotlb", "profile", "chargedNs", "domains", "endpoints");
    assertThat(json.get("driver").isJsonNull()).isTrue();
    assertThat(json.getAsJsonObject("counters").get("kicks").getAsLong()).isEqualTo(333);
    assertThat(json.getAsJsonObject("iotlb").toString())
        .isEqualTo("{\"hits\":90001,\"misses\":642,\"invalidations\":129}");
    assertThat(json.getAsJsonArray("domains").get(0).toString())
        .isEqualTo(
            "{\"domain\":1,\"bypass\":true,\"endpoints\":[\"00:05.0\"],\"mappings\":0,"
                + "\"pages\":0,\"bytes\":0}");
    assertThat(json.getAsJsonArray("endpoints").toString())
        .isEqualTo("[{\"endpoint\":\"00:06.0\",\"access\":\"blocked\"}]");
  }

  @Test
  void listsTheFirstMappingsAndSaysThatThereAreMore() throws InterruptedException {
    fit();
    assertThat(text(run("iommu:map", "2")))
        .isEqualTo(
            """
            domain 2: 2 mappings
                 START         END    PHYSICAL  BYTES  PERMISSIONS
              0x100000    0x1fffff  0x40000000  1 MiB  rw
            0xfffff000  0xffffffff  0x40100000  4 KiB  r-\
            """);
    assertThat(text(run("iommu:map", "2", "--limit", "1")))
        .startsWith("domain 2: 2 mappings, the first 1 of them; --limit shows more\n")
        .doesNotContain("0xfffff000");
    assertThat(text(run("iommu:map", "1"))).isEqualTo("domain 1: 0 mappings");
    assertThat(run("iommu:map", "2", "--limit", "1", "--json").toString())
        .isEqualTo(
            "{\"domain\":2,\"mappings\":2,\"ranges\":[{\"start\":\"0x100000\",\"end\":"
                + "\"0x1fffff\",\"physical\":\"0x40000000\",\"bytes\":1048576,"
                + "\"permissions\":\"rw\"}]}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          9|256|unknown domain 9; valid: 1, 2
          2|0|iommu:map: --limit must be at least 1, but is 0
          x|9|iommu:map: Invalid value for positional parameter at index 0 (DOMAIN): \
          'x' is not an int
          """)
  void namesWhatIsValid(final String domain, final String limit, final String message) {
    fit();
    assertThatThrownBy(() -> run("iommu:map", domain, "--limit", limit)).hasMessage(message);
  }

  @Test
  void listsFaults() throws InterruptedException {
    final FakeIommu iommu = fit();
    assertThat(text(run("iommu:faults")))
        .isEqualTo(
            "7 faults, 0 reported to the guest, 7 dropped for want of an event buffer\n"
                + "no faults are kept");
    iommu.faults.add(new FaultInfo(1500, "MAPPING", "write", "00:04.0", 0xdead_b000L, true));
    assertThat(text(run("iommu:faults")))
        .endsWith(
            """

              MS  ENDPOINT  REASON   ACCESS     ADDRESS  REPORTED
            1500  00:04.0   MAPPING  write   0xdeadb000  yes\
            """);
    assertThat(run("iommu:faults", "--json").toString())
        .isEqualTo(
            "{\"counters\":{\"faults\":8,\"reported\":1,\"dropped\":7},\"faults\":[{"
                + "\"timeMs\":1500,\"reason\":\"MAPPING\",\"flags\":\"write\","
                + "\"endpoint\":\"00:04.0\",\"address\":\"0xdeadb000\","
                + "\"reported\":true}]}");
  }

  @Test
  void showsPoolsWithTheirHitRate() throws InterruptedException {
    fit();
    assertThat(text(run("iommu:pools"))).isEqualTo("no strategy has a pool in a domain yet");
    world.dma.iovaPools.add(
        new IovaPoolInfo(
            2,
            "iommu-pool",
            "ACTIVE",
            List.of("0000:00:04.0"),
            false,
            3,
            12,
            0,
            List.of(
                new IovaClass(4096, 1024, 1000, 4, 5, 6, 7, 1, 0, 1, 75, 25, 4),
                new IovaClass(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
            19,
            0,
            2,
            0,
            4096));
    assertThat(text(run("iommu:pools")))
        .contains("2  iommu-pool  ACTIVE  0000:00:04.0          19         0")
        .contains("domain 2, iommu-pool\n")
        .containsPattern("4 KiB +1024 +5 +6 +7 +1 +4 +1000 +0 +1 +75 +25 +75.0 +4")
        .containsPattern("single-use .* -  +0$");
    final JsonObject pool =
        json(run("iommu:pools", "--json")).getAsJsonArray("pools").get(0).getAsJsonObject();
    assertThat(pool.get("openWindowUs").getAsDouble()).isZero();
    assertThat(pool.getAsJsonArray("classes").get(0).getAsJsonObject().keySet())
        .containsExactly(
            "bytes",
            "slots",
            "untouched",
            "empty",
            "inFlight",
            "cachedRead",
            "cachedWrite",
            "cachedReadWrite",
            "evicting",
            "leaked",
            "hits",
            "misses",
            "evictions");
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
