package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;

/** The distribution boots inside a test, and bundles come back after a restart and a refresh. */
class HarnessIT {
  private static Harness carom;

  @BeforeAll
  static void boot() throws Exception {
    carom = Harness.boot();
  }

  @AfterAll
  static void close() throws Exception {
    carom.close();
  }

  @Test
  void everyBundleIsActive() {
    assertThat(carom.context().getBundles())
        .allSatisfy(
            bundle -> assertThat(bundle.getState()).as("%s", bundle).isEqualTo(Bundle.ACTIVE));
  }

  @Test
  void commandsAnswer() throws Exception {
    assertThat(carom.command("lb -s")).contains("io.carom.api");
    assertThatThrownBy(() -> carom.command("nosuch")).hasMessageContaining("nosuch");
  }

  @Test
  void apiSurvivesARefresh() throws Exception {
    Bundle api = carom.bundle("io.carom.api");
    carom.refresh(List.of(api));
    assertThat(api.getState()).isEqualTo(Bundle.ACTIVE);
  }
}
