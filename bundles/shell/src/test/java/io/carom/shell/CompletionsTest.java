package io.carom.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.shell.command.Commands;
import io.carom.shell.fake.FakeConsole;
import io.carom.shell.fake.FakeIommu;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.service.Disks;
import io.carom.virtio.SwiotlbPolicy;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CompletionsTest {
  private final FakeWorld world = new FakeWorld();
  private final Completions completions = new Completions(world);

  @BeforeEach
  void plug() {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
  }

  private List<String> propose(final String command, final String... words) {
    return completions.propose(List.of(command, List.of(words), (Object) (words.length - 1)));
  }

  @Test
  void proposesStrategiesThenDevices() {
    assertThat(propose("dma:use", "dma:use", ""))
        .containsExactly("direct", "swiotlb-device", "swiotlb-fixed");
    assertThat(propose("dma:use", "dma:use", "direct", ""))
        .containsExactly("vda", "disk0", "0000:00:04.0", "00:04.0");
  }

  @Test
  void skipsOptionsAndTheirValues() {
    assertThat(propose("dma:use", "dma:use", "--extents", "ram", "--json", "direct", "v"))
        .contains("vda");
  }

  @Test
  void proposesValuesOfOptions() {
    assertThat(propose("carom:fio", "fio", "--rw", "")).contains("randread", "randwrite");
    assertThat(propose("carom:fio", "fio", "--strategy", "")).contains("direct");
    assertThat(propose("dma:use", "dma:use", "direct", "--policy", ""))
        .containsExactly("adopt", "quarantine", "revoke");
    assertThat(propose("dma:cancel", "dma:cancel", "")).contains("vda", "0000:00:04.0");
  }

  @Test
  void proposesPools() {
    assertThat(propose("swiotlb:map", "map", "")).containsExactly("swiotlb-fixed");
    assertThat(propose("swiotlb:stat", "stat", "")).contains("swiotlb-fixed", "vda", "disk0");
    assertThat(propose("carom:dmabench", "dmabench", "--fill", ""))
        .containsExactly("0", "50", "90");
    assertThat(propose("carom:dmabench", "dmabench", "--strategy", "")).contains("direct");
  }

  @Test
  void proposesDomainsAndProfiles() {
    assertThat(propose("iommu:map", "map", "")).isEmpty();
    world.iommu = new FakeIommu();
    assertThat(propose("iommu:map", "iommu:map", "")).containsExactly("1", "2");
    assertThat(propose("carom:bench", "bench", "iommu", "--profile", ""))
        .containsExactly("none", "low", "typical", "high", "series", "s390");
    assertThat(propose("dma:use", "dma:use", "direct", "--extents", ""))
        .containsExactly("ram", "device", "iova");
  }

  @Test
  void proposesNetworkDevicesAndPorts() {
    assertThat(propose("net:link", "net:link", "")).containsExactly("net0", "net1");
    assertThat(propose("net:link", "net:link", "net0", "")).containsExactly("up", "down");
    assertThat(propose("net:ping", "net:ping", "eth0", "")).containsExactly("eth0", "eth1");
    final FakeConsole console = new FakeConsole("con0");
    console.addPort("log");
    world.consoles.add(console);
    world.consoles.add(new FakeConsole("con1"));
    assertThat(propose("console:attach", "console:attach", "")).containsExactly("con0", "con1");
    assertThat(propose("console:attach", "console:attach", "con0", ""))
        .containsExactly("0", "1", "log");
    assertThat(propose("console:remove-port", "remove-port", "con1", "")).containsExactly("0");
    assertThat(propose("guest:hwrng", "guest:hwrng", "")).isEmpty();
    assertThat(propose("virtio:save", "virtio:save", "")).contains("vda", "disk0");
    assertThat(propose("device:add", "device:add", "net", "--ring", ""))
        .containsExactly("split", "packed", "both");
  }

  @Test
  void proposesCommands() {
    assertThat(propose("carom:help", "help", "")).contains("carom:fio", "dma:use");
  }

  @Test
  void proposesNothingForFreeText() {
    assertThat(propose("carom:fio", "fio", "--bs", "")).isEmpty();
    assertThat(propose("no:such", "such", "")).isEmpty();
  }

  @Test
  void makesRulesOfEveryCommand() {
    assertThat(Commands.ALL).allSatisfy(kind -> assertThat(SessionSetup.rules(kind)).isNotEmpty());
    assertThat(SessionSetup.rules(Objects.requireNonNull(Commands.find("lspci"))))
        .extracting(SessionSetup.Rule::options)
        .contains(" -e", " -s v -d $__carom_text", " -s h -l help -d $__carom_text");
  }
}
