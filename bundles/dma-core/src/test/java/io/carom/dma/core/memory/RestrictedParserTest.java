package io.carom.dma.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RestrictedParserTest {
  private static final int SET = 256 << 10;

  @Test
  void pools() {
    assertThat(
            RestrictedParser.parse(
                "name=net size=8m devices=00:04.0,0000:00:05.1",
                " ",
                "  devices=1:2.3   coherent=0  size=512K name=blk_1 "))
        .containsExactly(
            new RestrictedSpec("net", 8 << 20, 1 << 20, List.of("0000:00:04.0", "0000:00:05.1")),
            new RestrictedSpec("blk_1", 2 * SET, 0, List.of("0000:01:02.3")));
    assertThat(RestrictedParser.parse()).isEmpty();
    assertThat(RestrictedParser.parse("name=a size=1048576 devices=00:04.0").getFirst())
        .isEqualTo(new RestrictedSpec("a", 4 * SET, SET, List.of("0000:00:04.0")));
    assertThat(RestrictedParser.parse("name=a size=2g coherent=1g devices=00:04.0").getFirst())
        .isEqualTo(new RestrictedSpec("a", 2L << 30, 1L << 30, List.of("0000:00:04.0")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "name=a size=1m|devices= is missing",
        "name=a devices=00:04.0|size= is missing",
        "size=1m devices=00:04.0|name= is missing",
        "name= size=1m devices=00:04.0|name= is missing",
        "name=a b size=1m devices=00:04.0|unknown 'b'; valid: name=NAME size=SIZE",
        "name=a size=1m device=00:04.0|unknown 'device=00:04.0'",
        "name=a name=b size=1m devices=00:04.0|give name= once",
        "name=a:b size=1m devices=00:04.0|name=a:b is not 1 to 32 letters",
        "name=a size=0 devices=00:04.0|size=0 is not in 256k..2g",
        "name=a size=128k devices=00:04.0|size=128k is not in 256k..2g",
        "name=a size=3g devices=00:04.0|size=3g is not in 256k..2g",
        "name=a size=999999999999g devices=00:04.0|is not in 256k..2g",
        "name=a size=1000000 devices=00:04.0|size=1000000 is not a multiple of 256k",
        "name=a size=-1m devices=00:04.0|size=-1m is not a size such as 8m",
        "name=a size=1t devices=00:04.0|size=1t is not a size such as 8m",
        "name=a size=256k devices=00:04.0|coherent=262144 leaves no slot set",
        "name=a size=1m coherent=1m devices=00:04.0|coherent=1048576 leaves no slot set",
        "name=a size=1m coherent=4k devices=00:04.0|coherent=4k is not a multiple of 256k",
        "name=a size=1m devices=00:04.0,|devices: '' is not a PCI address",
        "name=a size=1m devices=vda|devices: 'vda' is not a PCI address",
        "name=a size=1m devices=00:04.0,0000:00:04.0|0000:00:04.0 is named twice",
      })
  void poolsThatCannotBe(final String text, final String rule) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RestrictedParser.parse(text))
        .withMessageStartingWith("restrictedPools '" + text + "': ")
        .withMessageContaining(rule);
  }

  @Test
  void poolsThatContradict() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                RestrictedParser.parse(
                    "name=a size=1m devices=00:04.0", "name=a size=1m devices=00:05.0"))
        .withMessageContaining("name=a is taken by another pool");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                RestrictedParser.parse(
                    "name=a size=1m devices=00:04.0", "name=b size=1m devices=0000:00:04.0"))
        .withMessageContaining("device 0000:00:04.0 is bound to pool a too");
  }
}
