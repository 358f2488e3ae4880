package io.carom.shell.command;

import io.carom.guest.FioJob;
import io.carom.guest.FioJob.IoMemory;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Options of fio that take one of a few words, or a time. */
final class FioWords {
  private FioWords() {}

  /** Workloads. */
  static final class Rw extends Words<String> {
    Rw() {
      super(FioJob.RW, text -> text);
    }
  }

  /** Verification. */
  static final class Verify extends Words<String> {
    Verify() {
      super(List.of("crc32c", "none"), text -> text);
    }
  }

  /** Output format. */
  static final class Format extends Words<String> {
    Format() {
      super(List.of("normal", "json"), text -> text);
    }
  }

  /** Direct or buffered I/O. */
  static final class Direct extends Words<Integer> {
    Direct() {
      super(List.of("0", "1"), Integer::valueOf);
    }
  }

  /** Where buffers lie. */
  static final class Iomem extends Words<IoMemory> {
    Iomem() {
      super(
          List.of("malloc", "reachable"), text -> IoMemory.valueOf(text.toUpperCase(Locale.ROOT)));
    }
  }

  /** The only scratch disk. */
  static final class Memory extends Words<String> {
    Memory() {
      super(List.of("memory"), text -> text);
    }
  }

  /** Times such as {@code 5}, {@code 5s}, {@code 500ms}, {@code 2m}; the value is milliseconds. */
  static final class Seconds implements ITypeConverter<Long> {
    private static final Pattern TIME = Pattern.compile("(\\d{1,9})(ms|s|m)?");

    Seconds() {}

    @Override
    public Long convert(final String text) {
      final Matcher m = TIME.matcher(text);
      if (!m.matches()) {
        throw new TypeConversionException(
            "'" + text + "' is not a time such as 5, 5s, 500ms or 2m");
      }
      // nine digits times 60,000 fit in a long
      final long number = Long.parseLong(m.group(1));
      return switch (m.group(2) == null ? "s" : m.group(2)) {
        case "ms" -> number;
        case "m" -> number * 60_000;
        default -> number * 1000;
      };
    }
  }
}
