package io.carom.shell.command;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads sizes such as {@code 4096}, {@code 4k}, {@code 64m}, {@code 1g}; units are 1024-based. */
public final class SizeConverter implements ITypeConverter<Long> {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,18})([kmgt]?)(?:i?b)?");

  /** For picocli. */
  public SizeConverter() {}

  @Override
  public Long convert(final String text) {
    final Matcher m = SIZE.matcher(text.trim().toLowerCase(Locale.ROOT));
    if (m.matches()) {
      final int shift = m.group(2).isEmpty() ? 0 : 10 * ("kmgt".indexOf(m.group(2)) + 1);
      final long number = Long.parseLong(m.group(1));
      // the shift loses nothing when shifting back gives the number again
      if (number << shift >>> shift == number && number << shift >= 0) {
        return number << shift;
      }
    }
    throw new TypeConversionException("'" + text + "' is not a size such as 4096, 4k, 64m or 1g");
  }
}
