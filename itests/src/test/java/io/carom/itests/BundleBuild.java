package io.carom.itests;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.osgi.framework.Constants;

/**
 * Builds a bundle of the project once more, from its sources, with edits: as another version of it
 * would be built, by the compiler and bnd. What was edited must be there, so an edit that the
 * sources have outgrown fails the test that asks for it.
 */
final class BundleBuild {
  private static final Path ROOT =
      Path.of(System.getProperty("carom.root", "..")).toAbsolutePath().normalize();
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private BundleBuild() {}

  /**
   * A change of a source.
   *
   * @param file its path below the module's {@code src/main/java}
   * @param text what is there, once
   * @param instead what a test has in its place
   */
  record Edit(String file, String text, String instead) {}

  /**
   * Builds.
   *
   * @param symbolicName of the bundle
   * @param module folder of its module, below the project's
   * @param version what it is to have
   */
  static Path of(
      final String symbolicName, final String module, final String version, final Edit... edits)
      throws IOException {
    final Path work = Files.createTempDirectory("build" + NUMBER.incrementAndGet() + "-");
    final Path sources = work.resolve("java");
    final Path classes = Files.createDirectory(work.resolve("classes"));
    copy(ROOT.resolve(module).resolve("src/main/java"), sources);
    for (final Edit edit : edits) {
      apply(edit, sources);
    }
    final List<File> libraries = libraries();
    compile(sources, classes, libraries);
    final Path resources = ROOT.resolve(module).resolve("src/main/resources");
    if (Files.isDirectory(resources)) {
      copy(resources, classes);
    }
    final Path jar = work.resolve(symbolicName + "-" + version + ".jar");
    pack(symbolicName, module, version, classes, libraries, jar);
    return jar;
  }

  private static void apply(final Edit edit, final Path sources) throws IOException {
    final Path file = sources.resolve(edit.file());
    final String before = Files.readString(file);
    final int at = before.indexOf(edit.text());
    if (at < 0 || before.indexOf(edit.text(), at + 1) >= 0) {
      throw new IllegalArgumentException(
          edit.file() + " must hold once, but does not: " + edit.text());
    }
    Files.writeString(file, before.replace(edit.text(), edit.instead()));
  }

  private static void compile(final Path sources, final Path classes, final List<File> libraries)
      throws IOException {
    final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    final StringWriter said = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      final Iterable<? extends JavaFileObject> units =
          files.getJavaFileObjectsFromPaths(regular(sources));
      final List<String> options =
          List.of(
              "--release",
              String.valueOf(Runtime.version().feature()),
              "-proc:none",
              "-nowarn",
              "-Xlint:none",
              "-g",
              "-d",
              classes.toString(),
              "-classpath",
              String.join(File.pathSeparator, libraries.stream().map(File::getPath).toList()));
      if (!compiler.getTask(said, files, null, options, null, units).call()) {
        throw new IllegalArgumentException("cannot be compiled:\n" + said);
      }
    }
  }

  private static void pack(
      final String symbolicName,
      final String module,
      final String version,
      final Path classes,
      final List<File> libraries,
      final Path jar)
      throws IOException {
    try (Builder builder = new Builder()) {
      builder.setBase(ROOT.resolve(module).toFile());
      final Properties instructions =
          builder.loadProperties(ROOT.resolve("cnf/build.bnd").toFile());
      instructions.putAll(builder.loadProperties(ROOT.resolve(module).resolve("bnd.bnd").toFile()));
      instructions.setProperty(Constants.BUNDLE_SYMBOLICNAME, symbolicName);
      instructions.setProperty(Constants.BUNDLE_VERSION, version);
      builder.setProperties(instructions);
      for (final File library : libraries) {
        builder.addClasspath(library);
      }
      builder.setJar(new Jar(classes.toFile()));
      final Jar built = builder.build();
      if (!builder.getErrors().isEmpty()) {
        throw new IllegalArgumentException("cannot be packed: " + builder.getErrors());
      }
      built.write(jar.toFile());
    } catch (final IOException e) {
      throw e;
    } catch (final Exception e) {
      throw new IllegalStateException("bnd failed", e);
    }
  }

  /** What modules are compiled against: the libraries of these tests and the distribution's. */
  private static List<File> libraries() throws IOException {
    final List<File> all = new ArrayList<>();
    for (final String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (entry.endsWith(".jar")) {
        all.add(new File(entry));
      }
    }
    try (Stream<Path> files = Files.walk(Dist.HOME.resolve("bundle"))) {
      files
          .filter(file -> file.toString().endsWith(".jar"))
          .sorted()
          .map(Path::toFile)
          .forEach(all::add);
    }
    return all;
  }

  private static List<Path> regular(final Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  private static void copy(final Path from, final Path to) throws IOException {
    for (final Path file : regular(from)) {
      final Path copy = to.resolve(from.relativize(file).toString());
      Files.createDirectories(copy.getParent());
      Files.copy(file, copy);
    }
  }
}
