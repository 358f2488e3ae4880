package io.carom.launcher;

/** The exit statuses of the launcher, a contract with scripts. */
final class ExitCode {
  static final int FINE = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int NOT_BOOTED = 3;

  private ExitCode() {}
}
