package io.carom.shell.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.virtio.SwiotlbPolicy;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JsonTest {
  record Row(
      double plain,
      double large,
      double endless,
      @Nullable Double none,
      long count,
      ExtentKind extents,
      SwiotlbPolicy policy,
      DmaDirection direction,
      byte[] bytes,
      List<String> words) {}

  record Bad(boolean failed) implements Failing {}

  @Test
  void spellsValuesAsOnTheCommandLine() {
    final Row row =
        new Row(
            1.23456,
            1_234_500.0,
            Double.NaN,
            null,
            1L << 60,
            ExtentKind.DEVICE,
            SwiotlbPolicy.STRICT,
            DmaDirection.TO_DEVICE,
            new byte[] {(byte) 0xf4, 0x1a},
            List.of("a<b>", "it's"));
    assertThat(Json.document(row).text())
        .isEqualTo(
            "{\"plain\":1.235,\"large\":1234500,\"endless\":null,\"none\":null,"
                + "\"count\":1152921504606846976,\"extents\":\"device\",\"policy\":\"strict\","
                + "\"direction\":\"TO_DEVICE\",\"bytes\":\"f41a\",\"words\":[\"a<b>\",\"it's\"]}");
  }

  @Test
  void keepsFailure() {
    assertThat(Json.document(new Bad(true)).failed()).isTrue();
    assertThat(Json.document(new Bad(false)).failed()).isFalse();
    assertThat(Json.document(List.of()).failed()).isFalse();
  }
}
