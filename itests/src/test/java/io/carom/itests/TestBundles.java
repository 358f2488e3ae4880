package io.carom.itests;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.ops4j.pax.tinybundles.TinyBundle;
import org.ops4j.pax.tinybundles.TinyBundles;
import org.osgi.framework.Constants;

/** Bundles that exist in tests only, made when they are needed. */
final class TestBundles {
  private TestBundles() {}

  /** The file that a bundle of the distribution ships in. */
  static Path shipped(final String symbolicName) throws IOException {
    return Dist.bundles().keySet().stream()
        .filter(jar -> String.valueOf(jar.getFileName()).startsWith(symbolicName + "-"))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no file of " + symbolicName));
  }

  /** The version of a bundle file. */
  static String version(final Path jar) throws IOException {
    try (JarInputStream in = new JarInputStream(Files.newInputStream(jar))) {
      return in.getManifest().getMainAttributes().getValue(Constants.BUNDLE_VERSION);
    }
  }

  /** A bundle under another version, with the same content otherwise. */
  static Path versioned(final Path jar, final String version, final Path folder)
      throws IOException {
    final Path copy = folder.resolve(version + ".jar");
    try (JarInputStream in = new JarInputStream(Files.newInputStream(jar))) {
      final Manifest manifest = new Manifest(in.getManifest());
      manifest.getMainAttributes().put(new Attributes.Name(Constants.BUNDLE_VERSION), version);
      try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(copy), manifest)) {
        for (JarEntry entry = in.getNextJarEntry(); entry != null; entry = in.getNextJarEntry()) {
          out.putNextEntry(new JarEntry(entry.getName()));
          in.transferTo(out);
        }
      }
    }
    return copy;
  }

  /** The bundle of {@link HoldingActivator}. */
  static InputStream holding() {
    return TinyBundles.bundle()
        .addClass(HoldingActivator.class)
        .addClass(HeldBuffers.class)
        .symbolicName("io.carom.itests.holding")
        .setHeader(Constants.BUNDLE_MANIFESTVERSION, "2")
        .setHeader(Constants.BUNDLE_ACTIVATOR, HoldingActivator.class.getName())
        .setHeader(
            Constants.IMPORT_PACKAGE,
            "org.osgi.framework,io.carom.dma,io.carom.guest,io.carom.memory,"
                + "org.jspecify.annotations;resolution:=optional")
        .build(TinyBundles.rawBuilder());
  }

  /** The bundle of {@link MatrixLoad}. */
  static InputStream matrixLoad() {
    final TinyBundle bundle =
        TinyBundles.bundle()
            .symbolicName("io.carom.itests.matrix")
            .setHeader(Constants.BUNDLE_MANIFESTVERSION, "2")
            .setHeader(Constants.BUNDLE_ACTIVATOR, MatrixActivator.class.getName())
            .setHeader(
                Constants.IMPORT_PACKAGE,
                "org.osgi.framework,io.carom.guest,org.jspecify.annotations;resolution:=optional")
            .addClass(MatrixActivator.class)
            .addClass(MatrixLoad.class);
    for (final Class<?> inner : MatrixLoad.class.getDeclaredClasses()) {
      bundle.addClass(inner);
    }
    return bundle.build(TinyBundles.rawBuilder());
  }

  /** The bundle of {@link BadFunctionActivator}. */
  static InputStream badFunction() {
    return TinyBundles.bundle()
        .addClass(BadFunctionActivator.class)
        .addClass(BadFunctionActivator.class.getDeclaredClasses()[0])
        .symbolicName("io.carom.itests.bad")
        .setHeader(Constants.BUNDLE_MANIFESTVERSION, "2")
        .setHeader(Constants.BUNDLE_ACTIVATOR, BadFunctionActivator.class.getName())
        .setHeader(Constants.IMPORT_PACKAGE, "org.osgi.framework,io.carom.pci")
        .build(TinyBundles.rawBuilder());
  }
}
