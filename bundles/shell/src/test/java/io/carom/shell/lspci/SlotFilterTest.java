package io.carom.shell.lspci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.pci.PciAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SlotFilterTest {
  @ParameterizedTest
  @CsvSource({
    "00:04.0,00:04.0,true",
    "0000:00:04.0,00:04.0,true",
    "00:04,00:04.3,true",
    "04,00:04.0,true",
    "4.0,00:04.0,true",
    "04.1,00:04.0,false",
    ".0,00:1f.0,true",
    ".1,00:1f.0,false",
    "01:04.0,00:04.0,false",
    "1:,01:1f.7,true",
    "1:,00:1f.7,false",
    "00:,01:1f.7,false",
    "00:05.0,00:04.0,false",
    "00:04.0,01:04.0,false",
    "*,00:04.0,true"
  })
  void selects(final String filter, final String address, final boolean selected) {
    assertThat(SlotFilter.parse(filter).matches(PciAddress.parse(address))).isEqualTo(selected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vda", "00:04.8", "1:2:3:4", "04.0.0", "-"})
  void refusesWhatIsNoSlot(final String text) {
    assertThatThrownBy(() -> SlotFilter.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + text + "' is not a slot such as");
  }
}
