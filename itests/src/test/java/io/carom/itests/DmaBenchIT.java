package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.carom.guest.DmaBench;
import java.util.List;
import org.junit.Test;

/** The DMA benchmark on the real core: it measures, and leaves nothing behind. */
public class DmaBenchIT extends ContainerTest {
  @Test
  public void measuresOnEitherKindOfMemory() throws Exception {
    for (final String extents : List.of("ram", "device")) {
      final JsonObject result =
          carom("-s 1 -t 2 -g 4 -d 1 --strategy swiotlb-fixed --ns --extents " + extents);
      assertThat(GuestKit.text(result, "strategy")).isEqualTo("swiotlb-fixed");
      assertThat(GuestKit.text(result, "extents")).isEqualTo(extents);
      assertThat(GuestKit.number(result, "loops")).isPositive();
      assertThat(GuestKit.number(result, "failures")).isZero();
      assertThat(GuestKit.number(result, "mapP50Ns")).isPositive();
      assertThat(GuestKit.number(result, "unmapMaxNs")).isPositive();
      assertDetached();
    }
  }

  @Test
  public void measuresListsOnAPoolThatIsHalfFull() throws Exception {
    final JsonObject result = carom("-s 1 -g 8 -m 1 --strategy swiotlb-fixed --fill 50");
    assertThat(GuestKit.text(result, "mode")).isEqualTo("SG_MODE");
    assertThat(GuestKit.number(result, "fillPercent")).isEqualTo(50);
    assertThat(GuestKit.number(result, "loops")).isPositive();
    assertDetached();
  }

  @Test
  public void saysWhyAMapFails() {
    assertThatThrownBy(() -> carom("-s 1 -g 65 --strategy swiotlb-fixed"))
        .hasStackTraceContaining("ioctl: Cannot allocate memory: a map of 266240 bytes failed: too")
        .hasStackTraceContaining("262144 bytes; lower -g");
    assertDetached();
  }

  private JsonObject carom(final String options) throws Exception {
    return kit.carom().json("dmabench " + options);
  }

  private void assertDetached() {
    assertThat(control.devices()).noneMatch(info -> info.device().equals(DmaBench.DEVICE));
    assertThat(control.pools()).noneMatch(pool -> DmaBench.DEVICE.equals(pool.device()));
  }
}
