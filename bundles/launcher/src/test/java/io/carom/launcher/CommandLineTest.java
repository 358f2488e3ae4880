package io.carom.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandLineTest {
  @Test
  void noArgumentsMeansShell() throws UsageException {
    assertThat(CommandLine.parse().interactive()).isTrue();
  }

  @Test
  void keepsTheOrderOfCommandsFilesAndVerb(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("script"), "two\nthree 3\n");
    CommandLine line =
        CommandLine.parse("-c", "one; 1", "-f", file.toString(), "-c", "four", "five", "-c", "a b");
    assertThat(line.statements())
        .containsExactly("one", "1", "two", "three 3", "four", "five -c 'a b'");
    assertThat(line.interactive()).isFalse();
  }

  @Test
  void emptyCommandsAreNoShell() throws UsageException {
    assertThat(CommandLine.parse("-c", "").interactive()).isFalse();
  }

  @Test
  void helpWinsOverTheRest() throws UsageException {
    assertThat(CommandLine.parse("--help", "--nonsense").help()).isTrue();
  }

  @Test
  void seesJsonInTheVerb() throws UsageException {
    assertThat(CommandLine.parse("demo", "--json").json()).isTrue();
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    assertThatThrownBy(() -> CommandLine.parse("--nonsense"))
        .isInstanceOf(UsageException.class)
        .hasMessage("unknown option '--nonsense'; try ./carom --help");
    assertThatThrownBy(() -> CommandLine.parse("-c")).hasMessageContaining("needs an argument");
    assertThatThrownBy(() -> CommandLine.parse("-f", "/no/such/file"))
        .hasMessageStartingWith("cannot read '/no/such/file'");
  }
}
