package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class SizeConverterTest {
  @ParameterizedTest
  @CsvSource({
    "0,0",
    "512,512",
    "4k,4096",
    "4K,4096",
    "64m,67108864",
    "64MiB,67108864",
    "1g,1073741824",
    "2t,2199023255552"
  })
  void readsUnits(final String text, final long bytes) {
    assertThat(new SizeConverter().convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "k", "-1", "4x", "1.5m", "0x10", "99999999999g", "99999999999999999999"})
  void refusesWhatIsNoSize(final String text) {
    assertThatThrownBy(() -> new SizeConverter().convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage("'" + text + "' is not a size such as 4096, 4k, 64m or 1g");
  }
}
