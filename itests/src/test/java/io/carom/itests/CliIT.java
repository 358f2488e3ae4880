package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the shipped start script as a user would. */
class CliIT {
  @TempDir private Path folder;

  @Test
  void helpListsTheCommands() throws Exception {
    Script.Run run = carom("--help");
    assertThat(run.status()).isZero();
    assertThat(run.out()).startsWith("usage: carom").contains("demo", "fio", "lspci", "dma:use");
  }

  @Test
  void commandsRunInOrderAndTheirResultsArePrinted() throws Exception {
    Script.Run run = carom("-c", "lb -s io.carom.api; lb -s io.carom.swiotlb");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out()).containsSubsequence("io.carom.api", "io.carom.swiotlb");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void bundlesAreNamedByNumberOrName() throws Exception {
    Script.Run run =
        carom("-c", "stop io.carom.health; lb -s io.carom.health; start 26; lb -s io.carom.health");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out()).contains("Resolved").containsPattern("Active .*io.carom.health");
  }

  @Test
  void filesAreScripts() throws Exception {
    Path script =
        Files.writeString(folder.resolve("script"), "# all of them\nlb -s io.carom.api\n");
    Script.Run run = carom("-f", script.toString());
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out()).contains("io.carom.api");
  }

  @Test
  void anUnknownOptionIsAMistakeOfTheUser() throws Exception {
    Script.Run run = carom("--nonsense");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).isEqualTo("carom: unknown option '--nonsense'; try ./carom --help\n");
  }

  @Test
  void anUnknownCommandIsAMistakeOfTheUserAndEndsTheRun() throws Exception {
    Script.Run run = carom("-c", "nosuch; lb -s");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).isEqualTo("carom: unknown command 'nosuch'; try ./carom --help\n");
  }

  @Test
  void aFailureIsToldInJsonWhereJsonIsPromised() throws Exception {
    Script.Run run = carom("nosuch", "--json");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out())
        .isEqualTo("{\"error\": \"unknown command 'nosuch'; try ./carom --help\"}\n");
  }

  @Test
  void aFailingCommandEndsTheRun() throws Exception {
    Script.Run run = carom("-c", "cd /no/such/folder", "-c", "lb -s");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out()).doesNotContain("START LEVEL");
    assertThat(run.err().lines()).hasSize(1).allMatch(line -> line.startsWith("carom: "));
  }

  @Test
  void noJdkIsTold() throws Exception {
    Script.Run run =
        new Script(folder)
            .run(
                Map.of("PATH", "/nonexistent", "JAVA_HOME", "", "JAVA25_HOME", ""),
                List.of("/bin/sh", "-c", ". ./jdk.sh; find_jdk no-such-tool"),
                Dist.HOME.resolve("bin"));
    assertThat(run.status()).isEqualTo(127);
    assertThat(run.err()).startsWith("carom: no JDK 25 found").hasLineCount(1);
  }

  private Script.Run carom(String... arguments) throws Exception {
    return new Script(folder).carom(arguments);
  }
}
