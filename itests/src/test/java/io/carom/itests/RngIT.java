package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.util.HexFormat;
import java.util.Random;
import org.junit.Test;

/** Random bytes come from the host to the guest, through the real rings. */
public class RngIT extends ContainerTest {
  @Test
  public void theGuestReadsTheBytesOfTheSeed() throws Exception {
    for (final String options :
        new String[] {"--policy none", "--policy strict", "--policy strict --ring packed"}) {
      final JsonObject added = kit.carom().json("device:add rng --name rng0 --seed 7 " + options);
      assertThat(added.get("type").getAsString()).isEqualTo("rng");
      final String source = added.get("guest").getAsString();
      final JsonObject read = kit.carom().json("guest:hwrng " + source + " --bytes 1000");
      final byte[] first = new byte[4096];
      new Random(7).nextBytes(first);
      assertThat(read.get("hex").getAsString())
          .as(options)
          .isEqualTo(HexFormat.of().formatHex(first, 0, 1000));
      assertThat(kit.carom().json("device:remove rng0").get("released").getAsBoolean()).isTrue();
    }
  }

  @Test
  public void aRateIsKept() throws Exception {
    kit.carom().json("device:add rng --name rng0 --rate 64k");
    final long start = System.nanoTime();
    kit.carom().json("guest:hwrng --bytes 65536 --timeout-ms 60000");
    // a quarter of a second's bytes come at once
    assertThat(System.nanoTime() - start).isGreaterThan(500_000_000L);
    kit.carom().json("device:remove rng0");
  }

  @Test
  public void withoutASourceTheGuestSaysSo() {
    assertThat(kit.refusal("guest:hwrng")).contains("device:add rng");
    assertThat(kit.refusal("device:add rng --rate 1k --mac x")).contains("--mac");
    assertThat(kit.refusal("device:add rng --name 'no name'")).contains("no name");
  }
}
