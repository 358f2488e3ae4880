package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.Test;

/** Disks are brought to rest, saved and restored under load; their drivers notice nothing. */
public class SavedStateIT extends ContainerTest {
  private static final int ROUNDS = 5;

  @Test
  public void aBusyDiskGoesOn() throws Exception {
    final Path file = Files.createTempFile("carom", ".state");
    try {
      for (final String policy : new String[] {"hint", "strict", "none"}) {
        final Disk disk = kit.addDisk(policy, "--queues=2");
        final Load load = kit.load(disk, "--bs=4k --iodepth=32 --numjobs=2");
        for (int i = 0; i < ROUNDS; i++) {
          load.awaitRequests(100);
          saved(disk, file);
          restored(disk, file);
        }
        load.stop().assertIntact();
        assertThat(GuestKit.text(kit.info(disk), "lastError")).isEqualTo("null");
        kit.remove(disk);
      }
    } finally {
      Files.delete(file);
    }
  }

  private void saved(final Disk disk, final Path file) throws Exception {
    final JsonObject saved = kit.carom().json("virtio:save " + disk.name() + " " + file);
    assertThat(GuestKit.text(saved, "name")).isEqualTo(disk.host());
    assertThat(GuestKit.number(saved, "sizeBytes")).isEqualTo(Files.size(file));
    assertThat(GuestKit.number(saved, "queues")).isEqualTo(2);
    final JsonObject info = kit.info(disk);
    assertThat(GuestKit.text(info, "lastError")).startsWith("at rest");
    assertThat(kit.info(disk)).as("nothing is served, nothing touched").isEqualTo(info);
    final String state = Files.readString(file);
    assertThat(state).startsWith("carom-virtio-state 2\n").contains("\nqueue.1.enabled=1\n");
  }

  private void restored(final Disk disk, final Path file) throws Exception {
    final JsonObject restored = kit.carom().json("virtio:restore " + disk.name() + " " + file);
    assertThat(GuestKit.text(restored, "name")).isEqualTo(disk.host());
  }

  @Test
  public void whatCannotBeIsRefused() throws Exception {
    final Disk disk = kit.addDisk("hint");
    final Disk other = kit.addDisk("hint", "--queues=2");
    final Path file = Files.createTempFile("carom", ".state");
    try {
      kit.carom().json("virtio:save " + disk.name() + " " + file);
      assertThat(kit.refusal("virtio:restore " + other.name() + " " + file)).contains("in use");
      kit.carom().json("virtio:restore " + disk.name() + " " + file);
      assertThat(kit.refusal("virtio:restore " + disk.name() + " " + file)).contains("in use");
      Files.writeString(file, "nothing of the kind");
      assertThat(kit.refusal("virtio:restore " + disk.name() + " " + file))
          .contains("no saved state");
      kit.fioIntact(disk, "--rw=randrw --bs=4k --iodepth=8 --size=1m");
      kit.fioIntact(other, "--rw=randrw --bs=4k --iodepth=8 --size=1m");
    } finally {
      Files.delete(file);
    }
  }
}
