package io.carom.style;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Remembers between builds which texts a tool has passed, so that it sees only changed files. */
final class Passed {
  private final Path file;
  private final String tool;
  private final Set<String> before;
  private final Set<String> now = ConcurrentHashMap.newKeySet();

  /** Reads what the tool passed; another version of a tool is another tool. */
  Passed(Path file, String tool) throws IOException {
    this.file = file;
    this.tool = tool;
    before = Files.exists(file) ? Set.copyOf(Files.readAllLines(file)) : Set.of();
  }

  boolean contains(String text) {
    String key = key(text);
    boolean known = before.contains(key);
    if (known) {
      now.add(key);
    }
    return known;
  }

  void add(String text) {
    now.add(key(text));
  }

  void save() throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, now);
  }

  private String key(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(tool.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
