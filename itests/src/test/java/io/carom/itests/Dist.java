package io.carom.itests;

import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.frameworkStartLevel;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.SortedMap;
import java.util.TreeMap;
import net.bytebuddy.ByteBuddy;
import org.assertj.core.api.Assertions;
import org.ops4j.pax.exam.Option;

/** The built distribution: what is tested is what ships. */
final class Dist {
  static final Path HOME =
      Path.of(System.getProperty("carom.home", ".")).toAbsolutePath().normalize();

  /** The start level of the interactive shell, which tests leave out. */
  private static final int SHELL = 90;

  private Dist() {}

  /** Pax Exam options that provision every bundle, at its own start level, without the shell. */
  static Option[] options(Option... more) throws IOException {
    List<Option> options = new ArrayList<>();
    options.add(frameworkStartLevel(SHELL - 1));
    frameworkProperties().forEach((key, value) -> options.add(frameworkProperty(key).value(value)));
    for (Map.Entry<Path, Integer> jar : bundles().entrySet()) {
      options.add(bundle("reference:" + jar.getKey().toUri()).startLevel(jar.getValue()));
    }
    options.add(junitBundles());
    options.add(library(Assertions.class));
    options.add(library(ByteBuddy.class));
    options.addAll(Arrays.asList(more));
    return options.toArray(Option[]::new);
  }

  /** The bundle files and their start levels, without the shell. */
  static SortedMap<Path, Integer> bundles() throws IOException {
    SortedMap<Path, Integer> bundles = new TreeMap<>();
    for (Path folder : list(HOME.resolve("bundle"), "[0-8][0-9]")) {
      int level = Integer.parseInt(String.valueOf(folder.getFileName()));
      list(folder, "*.jar").forEach(jar -> bundles.put(jar, level));
    }
    return bundles;
  }

  /** The properties that the launcher gives to the framework. */
  static Map<String, String> frameworkProperties() throws IOException {
    Properties file = new Properties();
    try (Reader reader = Files.newBufferedReader(HOME.resolve("conf/config.properties"))) {
      file.load(reader);
    }
    Map<String, String> properties = new HashMap<>();
    for (String key : file.stringPropertyNames()) {
      properties.put(
          key,
          file.getProperty(key)
              .replace("${carom.home.uri}", HOME.toUri().toString())
              .replace("${carom.home}", HOME.toString()));
    }
    return properties;
  }

  /** A library of the tests that is a bundle, as a bundle. */
  private static Option library(Class<?> type) {
    return bundle("reference:" + type.getProtectionDomain().getCodeSource().getLocation());
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
