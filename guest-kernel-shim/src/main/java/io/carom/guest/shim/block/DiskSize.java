package io.carom.guest.shim.block;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Sizes as the kernel prints them: three significant digits, such as {@code 67.1 MB}. */
final class DiskSize {
  private static final String[] DECIMAL = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  private static final String[] BINARY = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  private static final MathContext THREE_DIGITS = new MathContext(3, RoundingMode.HALF_UP);

  private DiskSize() {}

  static String decimal(final long bytes) {
    return text(bytes, 1000, DECIMAL);
  }

  static String binary(final long bytes) {
    return text(bytes, 1024, BINARY);
  }

  private static String text(final long bytes, final int unit, final String[] names) {
    BigDecimal value = BigDecimal.valueOf(bytes);
    final BigDecimal step = BigDecimal.valueOf(unit);
    int name = 0;
    while (value.compareTo(step) >= 0) {
      value = value.divide(step, MathContext.DECIMAL64);
      name++;
    }
    if (name == 0) {
      return bytes + " B";
    }
    final BigDecimal rounded = value.round(THREE_DIGITS);
    // 3 digits in all: 1.00, 10.0, 100
    final int integerDigits = rounded.precision() - rounded.scale();
    return rounded.setScale(Math.max(0, 3 - integerDigits), RoundingMode.HALF_UP).toPlainString()
        + " "
        + names[name];
  }
}
