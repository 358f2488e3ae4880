package io.carom.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FailureTest {
  @Test
  void anExceptionIsAFailure() {
    assertThat(Failure.of(new IllegalStateException("first\nsecond")))
        .isEqualTo(new Failure(ExitCode.FAILED, "first"));
  }

  @Test
  void anExceptionWithoutMessageIsNamed() {
    assertThat(Failure.of(new IllegalStateException()).message())
        .isEqualTo("IllegalStateException");
  }

  @Test
  void aUsageExceptionIsAMistakeOfTheUser() {
    assertThat(Failure.of(new IllegalStateException(new UsageException("wrong"))))
        .isEqualTo(new Failure(ExitCode.USAGE, "wrong"));
  }
}
