package io.carom.benchmarks.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RelaunchTest {
  private static final String HOME = "carom.home";

  @AfterEach
  void forget() {
    System.clearProperty(HOME);
  }

  @Test
  void startsTheLauncherOnTheSameClassPath() throws ChildFailure {
    System.setProperty(HOME, "/opt/carom");
    final List<String> arguments = Relaunch.arguments(Path.of("/tmp/scratch"), "some:verb");
    assertThat(arguments)
        .contains("-Djava.io.tmpdir=/tmp/scratch", "-Dcarom.bench.updates=true")
        .endsWith(
            "-cp", System.getProperty("java.class.path"), "io.carom.launcher.Main", "some:verb")
        .noneMatch(word -> word.startsWith("-agentlib:jdwp"));
  }

  @Test
  void needsALauncher() {
    assertThatThrownBy(() -> Relaunch.arguments(Path.of("/tmp/scratch"), "some:verb"))
        .isInstanceOf(ChildFailure.class)
        .hasMessage("this container was not started by the launcher (no property carom.home)");
  }
}
