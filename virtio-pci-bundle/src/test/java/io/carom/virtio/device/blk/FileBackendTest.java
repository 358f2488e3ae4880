package io.carom.virtio.device.blk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBackendTest {
  @TempDir private Path folder;
  private Path image;
  private final byte[] content = new byte[4096];

  FileBackendTest() {
    image = Path.of("unset");
  }

  @BeforeEach
  void image() throws IOException {
    new Random(5).nextBytes(content);
    image = folder.resolve("disk.img");
    Files.write(image, content);
  }

  @Test
  void readsAndWritesWhereItWasTold() throws IOException {
    try (FileBackend backend = new FileBackend(image, 4096, false)) {
      final MemorySegment memory = Arena.ofAuto().allocate(1024);
      backend.read(512, memory, 0, 1000);
      backend.read(1512, memory, 1000, 24);
      assertThat(memory.mismatch(MemorySegment.ofArray(content).asSlice(512, 1024))).isEqualTo(-1);
      memory.fill((byte) 7);
      backend.write(2048, memory, 0, 1000);
      backend.write(3048, memory, 1000, 24);
      backend.flush();
      System.arraycopy(memory.toArray(ValueLayout.JAVA_BYTE), 0, content, 2048, 1024);
      assertThat(Files.readAllBytes(image)).isEqualTo(content);
      assertThat(backend.describe()).isEqualTo("file " + image + ", 4096 bytes");
    }
  }

  @Test
  void truncatedFileIsAnErrorAndNotZeros() throws IOException {
    try (FileBackend backend = new FileBackend(image, 4096, false)) {
      Files.write(image, new byte[1000]);
      final MemorySegment memory = Arena.ofAuto().allocate(512);
      assertThatThrownBy(() -> backend.read(512, memory, 0, 512))
          .isInstanceOf(EOFException.class)
          .hasMessageContaining("ends before byte 1000");
    }
  }

  @Test
  void readOnlyFileIsNotOpenedForWriting() throws IOException {
    try (FileBackend backend = new FileBackend(image, 4096, true)) {
      assertThatThrownBy(() -> backend.write(0, Arena.ofAuto().allocate(512), 0, 512))
          .isInstanceOf(NonWritableChannelException.class);
    }
  }
}
