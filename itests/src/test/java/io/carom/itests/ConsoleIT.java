package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.util.List;
import org.junit.Test;

/** A console between the shell and a living guest. */
public class ConsoleIT extends ContainerTest {
  private JsonObject attach(final String options) throws Exception {
    return kit.carom().json("console:attach con0 " + options);
  }

  @Test
  public void theGuestAnswersOnItsConsole() throws Exception {
    for (final String options :
        new String[] {"", "--ports 4 --policy strict", "--ring packed --policy strict"}) {
      final JsonObject added = kit.carom().json("device:add console --name con0 " + options);
      assertThat(added.get("guest").getAsString()).isEqualTo("hvc0");
      final JsonObject greeting = attach("--until 'carom# '");
      assertThat(greeting.get("text").getAsString())
          .as(options)
          .startsWith("Carom guest: console virtio")
          .contains("Carom guest hvc0");
      assertThat(attach("--input uname --until Java").get("text").getAsString())
          .contains("uname\r\n");
      assertThat(attach("--input dmesg --until 'console [hvc0] enabled'").get("found").getAsBoolean())
          .isTrue();
      assertThat(kit.carom().json("device:remove con0").get("released").getAsBoolean()).isTrue();
    }
  }

  @Test
  public void sizeAndPortsFollowTheHost() throws Exception {
    kit.carom().json("device:add console --name con0 --ports 3 --port-names ,log");
    kit.carom().command("console:resize con0 132 43");
    kit.carom().command("console:add-port con0 late");
    Await.until(
        "the guest has all ports",
        () ->
            kit.list("console:list").stream()
                .noneMatch(port -> GuestKit.text(port, "guest").equals("null")));
    final List<JsonObject> ports = kit.list("console:list");
    assertThat(ports).hasSize(3);
    assertThat(ports.getFirst().get("columns").getAsInt()).isEqualTo(132);
    assertThat(ports.get(1).get("name").getAsString()).isEqualTo("log");
    assertThat(ports.get(2).get("name").getAsString()).isEqualTo("late");
    kit.carom().command("console:remove-port con0 late");
    assertThat(kit.list("console:list")).hasSize(2);
    assertThat(kit.refusal("console:remove-port con0 0")).contains("port 0");
    assertThat(kit.refusal("console:attach con1")).contains("con0");
    kit.carom().json("device:remove con0");
  }

  @Test
  public void aDiskGrowsWhileItIsUsed() throws Exception {
    final Disk disk = kit.addDisk("hint");
    final Load load = kit.load(disk, "--bs=4k --iodepth=8 --size=8m");
    final JsonObject grown = kit.carom().json("device:resize " + disk.name() + " 32m");
    assertThat(grown.get("sizeBytes").getAsLong()).isEqualTo(32L << 20);
    load.stop().assertIntact();
    kit.fioIntact(disk, "--rw=randrw --bs=4k --iodepth=8 --size=24m");
    assertThat(kit.refusal("device:resize " + disk.name() + " 1000")).contains("sizeBytes=1000");
  }
}
