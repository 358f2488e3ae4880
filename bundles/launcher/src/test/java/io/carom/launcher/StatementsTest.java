package io.carom.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.util.List;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatementsTest {
  @Test
  void splitsAtSemicolonsAndLines() {
    assertThat(Statements.split("a 1; b 2\n\nc;")).containsExactly("a 1", "b 2", "c");
  }

  @Test
  void keepsQuotedAndNestedSeparators() {
    assertThat(Statements.split("a 'x;y' \"p;\\\"q\" r\\;s; b { c; d }\ne (f;\ng)"))
        .containsExactly("a 'x;y' \"p;\\\"q\" r\\;s", "b { c; d }", "e (f;\ng)");
  }

  @Test
  void dropsComments() {
    assertThat(Statements.split("# one; two\na b#c # d\n")).containsExactly("a b#c");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plain",
        "it's",
        "a \"b\"",
        "$x",
        "\\y;z",
        "*",
        "?",
        "[a]",
        "{1,2}",
        "~",
        "",
        "two words",
        "--rw=randread",
        "--size=4k",
        "a=b",
        "#no",
        "(x)",
        "a|b",
        "a&b",
        "!h",
        "<in",
        ">out",
        "/dev/vda",
        "dma:use",
        "%1",
        "tab\tend",
        "line\nend",
        "c:\\dir\\"
      })
  void gogoReadsAnArgumentBack(String argument) throws Exception {
    assertThat(echo(argument)).isEqualTo(List.of(argument));
  }

  @Test
  void gogoReadsManyArgumentsBack() throws Exception {
    List<String> arguments = List.of("fio", "--name=a b", "'", "last");
    assertThat(echo(arguments.toArray(String[]::new))).isEqualTo(arguments);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"demo --json", "lspci --json -v", "fio --output-format=json", "x '--json'"})
  void seesThatJsonIsPromised(String statement) {
    assertThat(Statements.wantsJson(statement)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"demo", "demo --jsonish", "fio --name=--json"})
  void seesThatJsonIsNotPromised(String statement) {
    assertThat(Statements.wantsJson(statement)).isFalse();
  }

  /** The command that shows how Gogo reads its arguments. */
  public static final class Echo {
    /** Returns its arguments. */
    public List<String> echo(String... arguments) {
      return List.of(arguments);
    }
  }

  private static Object echo(String... arguments) throws Exception {
    ThreadIOImpl threads = new ThreadIOImpl();
    threads.start();
    CommandProcessorImpl processor = new CommandProcessorImpl(threads);
    processor.addCommand("test", new Echo(), "echo");
    try (CommandSession session =
        processor.createSession(
            new ByteArrayInputStream(new byte[0]),
            OutputStream.nullOutputStream(),
            OutputStream.nullOutputStream())) {
      return session.execute("echo " + Statements.join(List.of(arguments)));
    } finally {
      processor.stop();
      threads.stop();
    }
  }
}
