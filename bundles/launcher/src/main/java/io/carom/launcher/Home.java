package io.carom.launcher;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The folder of the distribution: {@code conf}, {@code lib} and {@code bundle/NN}, where NN is the
 * start level of the bundles in it.
 *
 * @param folder its absolute path
 */
record Home(Path folder) {
  /** The folder that the start script names. */
  static Home fromSystemProperty() {
    return new Home(Path.of(System.getProperty("carom.home", ".")).toAbsolutePath().normalize());
  }

  String help() throws IOException {
    return Files.readString(folder.resolve("conf/help.txt"));
  }

  Path initialConfiguration() {
    return folder.resolve("conf/carom.json");
  }

  /** The framework's properties, in which {@code ${carom.home}} and {@code .uri} are replaced. */
  Map<String, String> frameworkProperties() throws IOException {
    Properties file = new Properties();
    try (Reader reader = Files.newBufferedReader(folder.resolve("conf/config.properties"))) {
      file.load(reader);
    }
    Map<String, String> properties = new HashMap<>();
    for (String key : file.stringPropertyNames()) {
      properties.put(
          key,
          file.getProperty(key)
              .replace("${carom.home.uri}", folder.toUri().toString())
              .replace("${carom.home}", folder.toString()));
    }
    return properties;
  }

  /** The bundle files by start level, in the same order on every machine. */
  SortedMap<Integer, List<Path>> bundles() throws IOException {
    SortedMap<Integer, List<Path>> bundles = new TreeMap<>();
    for (Path level : list(folder.resolve("bundle"), "[0-9][0-9]")) {
      bundles.put(Integer.valueOf(String.valueOf(level.getFileName())), list(level, "*.jar"));
    }
    return bundles;
  }

  private static List<Path> list(Path folder, String glob) throws IOException {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
      stream.forEach(entries::add);
    }
    Collections.sort(entries);
    return entries;
  }
}
