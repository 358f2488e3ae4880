package io.carom.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each kept input, and some random ones, without the fuzzer: fast, on any platform. */
class CorpusTest {
  private static final int RANDOM_INPUTS = 500;
  private static final int MOST_BYTES = 400;

  @TestFactory
  Stream<DynamicTest> keptInputs() throws IOException {
    final List<DynamicTest> tests = new ArrayList<>();
    for (final Targets target : Targets.values()) {
      final List<Path> inputs = target.inputs();
      assertThat(inputs).as("corpus of %s", target).isNotEmpty();
      for (final Path input : inputs) {
        final String name = target + " " + input.getFileName();
        tests.add(DynamicTest.dynamicTest(name, () -> target.run(Files.readAllBytes(input))));
      }
    }
    return tests.stream();
  }

  @ParameterizedTest
  @EnumSource
  void randomInputs(final Targets target) {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    System.out.println(target + ": -Dcarom.seed=" + seed);
    final Random random = new Random(seed);
    for (int i = 0; i < RANDOM_INPUTS; i++) {
      final byte[] input = new byte[random.nextInt(MOST_BYTES)];
      random.nextBytes(input);
      target.run(input);
    }
  }
}
