package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.shell.fake.FakeWorld;
import io.carom.shell.service.Disks;
import io.carom.virtio.SwiotlbPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VirtioStateCommandsTest {
  private final FakeWorld world = new FakeWorld();

  @TempDir Path folder = Path.of("");

  @BeforeEach
  void plug() {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
    world.virtio.addBlk(Disks.memory("disk1", 1 << 20, SwiotlbPolicy.HINT));
  }

  private Object run(final String command, final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find(command)), world)
        .execute(arguments, line -> {});
  }

  @Test
  void savesToAFileAndRestoresFromIt() throws Exception {
    final Path file = folder.resolve("state");
    assertThat(run("virtio:save", "vda", file.toString(), "--json").toString())
        .isEqualTo("{\"name\":\"disk0\",\"file\":\"" + file + "\",\"sizeBytes\":14,\"queues\":0}");
    assertThat(Files.readString(file)).isEqualTo("state of disk0");
    assertThat(world.virtio.resting).containsExactly("disk0");
    assertThat(run("virtio:restore", "disk0", file.toString(), "--json").toString())
        .isEqualTo("{\"name\":\"disk0\",\"file\":\"" + file + "\",\"queues\":0}");
    assertThat(world.virtio.resting).isEmpty();
  }

  @Test
  void aFileThatCannotBeWrittenLetsTheDeviceGoOn() {
    final Path nowhere = folder.resolve("no").resolve("such").resolve("folder");
    assertThatThrownBy(() -> run("virtio:save", "vda", nowhere.toString()))
        .isInstanceOf(IllegalStateException.class)
        .message()
        .startsWith("virtio:save: " + nowhere + " cannot be written: ")
        .endsWith("; the device goes on")
        .doesNotContain("\n");
    assertThat(world.virtio.resting).isEmpty();
  }

  @Test
  void whatIsNoStateIsRefused() throws IOException, InterruptedException {
    final Path file = folder.resolve("state");
    assertThatThrownBy(() -> run("virtio:restore", "vda", file.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("virtio:restore: cannot read " + file);
    Files.writeString(file, "anything");
    assertThatThrownBy(() -> run("virtio:restore", "vda", file.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("this is no saved state of a virtio device");
    run("virtio:save", "vda", file.toString());
    assertThatThrownBy(() -> run("virtio:restore", "vdb", file.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("another's");
    assertThat(world.virtio.resting).containsExactly("disk0");
  }

  @Test
  void bothAskForADeviceAndAFile() {
    assertThatThrownBy(() -> run("virtio:save", "vda")).isInstanceOf(UsageException.class);
    assertThatThrownBy(() -> run("virtio:restore")).isInstanceOf(UsageException.class);
    assertThatThrownBy(() -> run("virtio:save", "vdz", "x"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
