package io.carom.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ConfigurationFileTest {
  @Test
  void findsThePidsAtTheTopOnly() {
    String json =
        """
        // "commented": {}
        {
          ":configurator:version": "1.0.0",
          "io.carom.machine": { "ramMiB:Integer": 256, "nested": { "deep": [1, {"x": 2}] } },
          /* "also.commented": {} */
          "io.carom.device~disk0": { "name": "a \\"quoted\\": value }" }
        }
        """;
    assertThat(ConfigurationFile.pids(json))
        .containsExactlyInAnyOrder("io.carom.machine", "io.carom.device~disk0");
  }
}
