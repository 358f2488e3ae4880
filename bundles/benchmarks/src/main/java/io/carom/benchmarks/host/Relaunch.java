package io.carom.benchmarks.host;

import io.carom.benchmarks.update.Updates;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How this container was started, so that another one can be. */
final class Relaunch {
  /** The distribution's folder, which its start script names. */
  private static final String HOME = "carom.home";

  private static final String LAUNCHER = "io.carom.launcher.Main";
  private static final String DEBUGGER = "-agentlib:jdwp";
  private static final String TEMPORARY = "-Djava.io.tmpdir=";

  private Relaunch() {}

  /**
   * Arguments for a JVM that is to be a container of the same distribution.
   *
   * @param folder its folder for temporary files
   * @param verb command that it runs
   * @throws ChildFailure when this container was not started by the launcher
   */
  static List<String> arguments(final Path folder, final String verb) throws ChildFailure {
    if (System.getProperty(HOME) == null) {
      throw new ChildFailure(
          "this container was not started by the launcher (no property " + HOME + ")");
    }
    final List<String> result =
        new ArrayList<>(ManagementFactory.getRuntimeMXBean().getInputArguments());
    result.removeIf(word -> word.startsWith(DEBUGGER) || word.startsWith(TEMPORARY));
    result.add(TEMPORARY + folder);
    result.add("-D" + Updates.ENABLED + "=true");
    result.add("-cp");
    result.add(System.getProperty("java.class.path"));
    result.add(LAUNCHER);
    result.add(verb);
    return result;
  }
}
