package io.carom.benchmarks.host;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * The class path of children: the files that the bundles under measurement were installed from.
 * Bundles are plain jars, and what is measured needs no container. What is not a file of its own is
 * copied to a temporary folder for as long as this object is open.
 */
final class Jars implements AutoCloseable {
  /** What children load classes from, besides this bundle. */
  private static final List<String> BUNDLES =
      List.of(
          "io.carom.api",
          "io.carom.machine",
          "io.carom.dma.core",
          "io.carom.swiotlb",
          "io.carom.iommu.host",
          "io.carom.iommu.pool",
          "io.carom.pcibus",
          "io.carom.virtio.device",
          "io.carom.guest.shim",
          "com.google.gson");

  /** Libraries in this bundle. */
  private static final List<String> EMBEDDED = List.of("lib/slf4j-api.jar", "lib/slf4j-nop.jar");

  private static final String REFERENCE = "reference:";

  private final Path folder;
  private final List<String> files = new ArrayList<>();

  private Jars() throws IOException {
    folder = Files.createTempDirectory("carom-bench");
  }

  /**
   * Finds them.
   *
   * @throws IllegalStateException when one is not to be had; one line
   */
  @SuppressWarnings("MustBeClosed") // the caller closes it, or it is closed here
  static Jars of(final BundleContext context) {
    try {
      final Jars jars = new Jars();
      try {
        jars.collect(context);
        return jars;
      } catch (final IOException | RuntimeException e) {
        jars.close();
        throw e;
      }
    } catch (final IOException e) {
      throw new IllegalStateException("the class path of the benchmark: " + e.getMessage(), e);
    }
  }

  private void collect(final BundleContext context) throws IOException {
    files.add(file(context.getBundle()).toString());
    for (final String name : BUNDLES) {
      files.add(file(find(context, name)).toString());
    }
    for (final String entry : EMBEDDED) {
      final URL url = context.getBundle().getEntry(entry);
      if (url == null) {
        throw new IllegalStateException(
            "bundle " + context.getBundle().getSymbolicName() + " has no " + entry);
      }
      files.add(copy(url, entry.substring(entry.lastIndexOf('/') + 1)).toString());
    }
  }

  private static Bundle find(final BundleContext context, final String name) {
    for (final Bundle bundle : context.getBundles()) {
      if (name.equals(bundle.getSymbolicName())) {
        return bundle;
      }
    }
    throw new IllegalStateException("bundle " + name + " is not installed");
  }

  private Path file(final Bundle bundle) throws IOException {
    final String location = bundle.getLocation();
    final String plain =
        location.startsWith(REFERENCE) ? location.substring(REFERENCE.length()) : location;
    final URI uri;
    try {
      uri = URI.create(plain);
      if ("file".equals(uri.getScheme()) && Files.isRegularFile(Path.of(uri))) {
        return Path.of(uri);
      }
      return copy(uri.toURL(), bundle.getSymbolicName() + ".jar");
    } catch (final IllegalArgumentException | IOException e) {
      throw new IOException(
          "bundle "
              + bundle.getSymbolicName()
              + " was installed from "
              + location
              + ", which cannot be read ("
              + e.getMessage()
              + ")",
          e);
    }
  }

  private Path copy(final URL url, final String name) throws IOException {
    final Path target = folder.resolve(name);
    try (InputStream in = url.openStream()) {
      Files.copy(in, target);
    }
    return target;
  }

  /** A new folder, which is deleted when this object is closed. */
  Path newFolder(final String name) {
    try {
      return Files.createDirectory(folder.resolve(name));
    } catch (final IOException e) {
      throw new IllegalStateException("a folder for the benchmark: " + e.getMessage(), e);
    }
  }

  /** As {@code -cp} takes it. */
  String classPath() {
    return String.join(File.pathSeparator, files);
  }

  @Override
  public void close() {
    try (Stream<Path> all = Files.walk(folder)) {
      for (final Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (final IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
