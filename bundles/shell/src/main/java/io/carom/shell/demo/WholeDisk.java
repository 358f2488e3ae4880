package io.carom.shell.demo;

import io.carom.guest.BlockDevice;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of a whole disk, on both sides of the border. */
final class WholeDisk {
  private static final int CHUNK_BYTES = 1 << 20;

  private WholeDisk() {}

  /** Of the file, as the host reads it. */
  static String host(final Path file) throws IOException {
    final MessageDigest digest = sha256();
    final byte[] chunk = new byte[CHUNK_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
        digest.update(chunk, 0, read);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Of the disk, as the guest reads it. */
  static String guest(final BlockDevice disk) {
    final MessageDigest digest = sha256();
    try (Arena arena = Arena.ofShared()) {
      final MemorySegment chunk = arena.allocate(CHUNK_BYTES);
      long at = 0;
      while (at < disk.capacityBytes()) {
        final MemorySegment part =
            chunk.asSlice(0, Math.min(CHUNK_BYTES, disk.capacityBytes() - at));
        disk.read(at, part);
        digest.update(part.asByteBuffer());
        at += part.byteSize();
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
