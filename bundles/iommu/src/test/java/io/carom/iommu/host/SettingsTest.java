package io.carom.iommu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.iommu.ReservedRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What can be configured. */
class SettingsTest {
  @Test
  void rangesAreReadBesideTheMessageWindow() {
    assertThat(ReservedRanges.parse(" 0x8000000-0x80fffff ", "", "0x0 - 0xfff"))
        .containsExactly(
            new ReservedRange(0xfee0_0000L, 0xfeef_ffffL, true),
            new ReservedRange(0x800_0000, 0x80f_ffff, false),
            new ReservedRange(0, 0xfff, false));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "8000000-80fffff | is not a range of addresses below 2^48 such as 0x8000000-0x80fffff",
        "0x1-0x1000000000000 | is not a range of addresses below 2^48 such as",
        "0x2-0x1 | ends before it begins",
        "0xfeefffff-0xff000000 | overlaps 0xfee00000-0xfeefffff",
      })
  void wrongOnesAreNamed(final String text, final String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ReservedRanges.parse(text))
        .withMessageStartingWith("reserved=" + text + " ")
        .withMessageContaining(message);
  }

  @Test
  void limitsAreNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IommuSettings.DEFAULTS.withInputBits(49))
        .withMessage("inputBits=49 is not in 33..48");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IommuSettings.DEFAULTS.withLimits(0, 1))
        .withMessage("maxMappings=0 is not in 1..16777216");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IommuSettings.DEFAULTS.withLimits(1, 0))
        .withMessage("maxTablePages=0 is not in 1..1048576");
  }

  @Test
  void asManyRangesAsFitIntoAProbe() {
    IommuSettings settings = IommuSettings.DEFAULTS;
    for (int i = 1; i < IommuSettings.MOST_RESERVED; i++) {
      settings = settings.withReserved(new ReservedRange(i * 0x1000, i * 0x1000 + 1, false));
    }
    final FakeRequest probe = new FakeRequest(Rig.probeBytes(Rig.EP_A), 516);
    new Rig(settings).requests.handle(probe);
    assertThat(probe.written[512]).isZero();
    final IommuSettings full = settings;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> full.withReserved(new ReservedRange(0, 1, false)))
        .withMessage("reserved has 17 ranges, more than 16");
  }
}
