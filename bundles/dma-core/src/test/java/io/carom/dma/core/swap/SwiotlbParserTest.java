package io.carom.dma.core.swap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SwiotlbParserTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // value | slots | areas | options
        "''|0|0|''",
        "'  '|0|0|''",
        "0|0|0|''",
        "1|128|0|''",
        "128|128|0|''",
        "129|256|0|''",
        "32768|32768|0|''",
        "2097152|2097152|0|''",
        "0x1000|4096|0|''",
        "0X80|128|0|''",
        "0200|128|0|''", // octal
        "0201|256|0|''",
        "128,4|512|4|''", // one set for each area, as on the kernel
        "128,3|512|4|''",
        "1024,5|1024|8|''",
        "1024,0x4|1024|4|''",
        "1024,010|1024|8|''",
        "1024,1|1024|1|''",
        "1024,0|1024|0|''",
        "0,4|0|4|''",
        "',4'|0|4|''",
        "',4,force'|0|4|force",
        "force|0|0|force",
        "noforce|0|0|noforce",
        "dynamic|0|0|dynamic",
        "'force,dynamic'|0|0|force dynamic",
        "'dynamic,force'|0|0|force dynamic",
        "'force,force'|0|0|force",
        "256,force|256|0|force",
        "'256,noforce'|256|0|noforce",
        "'256,2,dynamic'|256|2|dynamic",
        "'65536,8,force,dynamic'|65536|8|force dynamic",
        "'1,1024'|131072|1024|''",
      })
  void values(final String value, final long slots, final int areas, final String options) {
    assertThat(SwiotlbParser.parse(value))
        .isEqualTo(
            new SwiotlbParameter(
                slots,
                areas,
                options.contains("force") && !options.contains("noforce"),
                options.contains("noforce"),
                options.contains("dynamic")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // value | the part that is wrong
        "forceful|forceful", // the kernel takes it for force
        "noforced|noforced",
        "Force|Force",
        "'256,2,track_hiwater'|track_hiwater",
        "'256,2,force,no'|no",
        "'force,256'|256",
        "'256,4,4'|4",
        "'256,,force'|''",
        "'256,'|''",
        "','|''",
        "'force, dynamic'|' dynamic'",
        "-1|-1",
        "08|08",
        "0x|0x",
        "12a|12a",
        "0b1|0b1",
        "1k|1k",
      })
  void optionsThatAreNone(final String value, final String part) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SwiotlbParser.parse(value))
        .withMessage(
            "swiotlb=%s: Invalid swiotlb option: %s; valid:"
                + " <slots>[,<areas>][,force|noforce|dynamic], each may be left out",
            value, part);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2097153|slots=2097153 is not in 0..2097152",
        "0x200001|slots=0x200001 is not in 0..2097152",
        "99999999999999999999|slots=99999999999999999999 is not in 0..2097152",
        "128,1025|areas=1025 is not in 0..1024",
        "'force,noforce'|noforce leaves no pool, so it excludes force",
        "'noforce,dynamic'|noforce leaves no pool, so it excludes dynamic",
      })
  void valuesOutOfRange(final String value, final String rule) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SwiotlbParser.parse(value))
        .withMessage("swiotlb=" + value + ": " + rule);
  }

  @Test
  void linesOfTheBootLog() {
    final SwiotlbParameter none = SwiotlbParameter.NONE;
    assertThat(SwiotlbParser.parse("128,4").lines(none))
        .containsExactly(
            "software IO TLB: area num 4.",
            "software IO TLB: SWIOTLB bounce buffer size roundup to 1MB");
    assertThat(SwiotlbParser.parse("32768").lines(none))
        .containsExactly("software IO TLB: SWIOTLB bounce buffer size adjusted to 64MB");
    assertThat(SwiotlbParser.parse("noforce").lines(none))
        .containsExactly("software IO TLB: tearing down default memory pool");
    assertThat(SwiotlbParser.parse("128,4").lines(SwiotlbParser.parse("128,4"))).isEmpty();
    assertThat(none.lines(SwiotlbParser.parse("128,4,force"))).isEmpty();
  }
}
