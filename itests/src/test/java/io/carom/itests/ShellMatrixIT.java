package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Row;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/** The row of bundles/shell. */
class ShellMatrixIT extends MatrixTest {
  private static final String RUN = "    final SlotFilter filter";
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private @Nullable Path broken;

  ShellMatrixIT() {
    super(Row.SHELL);
  }

  @Override
  MatrixLoadKit plug(final GuestKit kit) throws Exception {
    return MatrixLoadKit.plug(kit, "strict", "hint", "none");
  }

  @Override
  BundleBuild.Edit edit(final String seen) {
    return new BundleBuild.Edit(
        "io/carom/shell/command/LspciCommand.java",
        "\"List the guest's PCI functions",
        "\"" + seen + ": List the guest's PCI functions");
  }

  @Override
  String show() {
    return "carom:help";
  }

  @Override
  void awaitServing() throws Exception {
    for (final String function : new String[] {"carom help", "carom lspci", "dma stat"}) {
      final String[] name = function.split(" ", 2);
      carom()
          .awaitService(
              "(&(osgi.command.scope=" + name[0] + ")(osgi.command.function=" + name[1] + "))");
    }
    assertThat(carom().command("lspci")).contains("00:00.0");
  }

  @Override
  Map<Change, Action> changes() {
    return Map.of(Change.FAILURE, this::misbehave);
  }

  /** A command throws; then one hangs, and the bundle is stopped meanwhile. */
  private void misbehave() throws Exception {
    if (broken == null) {
      broken =
          build(
              "0.9.3",
              new BundleBuild.Edit(
                  "io/carom/shell/command/LspciCommand.java", RUN, Switches.CODE + RUN));
    }
    carom().update(bundle().getSymbolicName(), broken);
    awaitServing();
    final FutureTask<String> hanging = new FutureTask<>(() -> carom().command("lspci"));
    try {
      Switches.fail(true);
      assertThat(kit().refusal("lspci")).contains("thrown by a test");
      Switches.fail(false);
      assertThat(carom().command("lspci")).contains("00:00.0");
      Switches.hang(true);
      final Thread session = new Thread(hanging, "matrix-session");
      session.setDaemon(true);
      session.start();
      Await.until("a command hangs", () -> Switches.hanging("io.carom.shell.command.LspciCommand"));
      assertThat(carom().command("carom:help")).contains("lspci");
      load().awaitMore(1);
      stopInTime(DEADLINE);
    } finally {
      Switches.fail(false);
      Switches.hang(false);
    }
    Await.until("the command that hung has ended, somehow", hanging::isDone);
    bundle().start();
    carom().update(bundle().getSymbolicName(), TestBundles.shipped(bundle().getSymbolicName()));
  }
}
