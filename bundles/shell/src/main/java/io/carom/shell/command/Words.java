package io.carom.shell.command;

import io.carom.dma.ExtentKind;
import io.carom.dma.SwapPolicy;
import io.carom.virtio.SwiotlbPolicy;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Options that take one of a few words: what the words mean, and which there are. */
abstract class Words<T> implements ITypeConverter<T>, Iterable<String> {
  static final String ON = "on";
  static final String OFF = "off";

  private final List<String> words;
  private final Function<String, T> meaning;

  Words(final List<String> words, final Function<String, T> meaning) {
    this.words = words;
    this.meaning = meaning;
  }

  @Override
  public T convert(final String text) {
    if (!words.contains(text)) {
      throw new TypeConversionException(
          "'" + text + "' is none of " + words.stream().collect(Collectors.joining(", ")));
    }
    return meaning.apply(text);
  }

  @Override
  public Iterator<String> iterator() {
    return words.iterator();
  }

  private static List<String> lower(final Enum<?>... values) {
    return Arrays.stream(values).map(value -> value.name().toLowerCase(Locale.ROOT)).toList();
  }

  /** Kinds of bounce memory. */
  static final class Extents extends Words<ExtentKind> {
    Extents() {
      super(lower(ExtentKind.values()), ExtentKind::parse);
    }
  }

  /** What happens at the drain deadline. */
  static final class Policy extends Words<SwapPolicy> {
    Policy() {
      super(lower(SwapPolicy.values()), SwapPolicy::parse);
    }
  }

  /** What a device does about its region. */
  static final class Swiotlb extends Words<SwiotlbPolicy> {
    Swiotlb() {
      super(
          lower(SwiotlbPolicy.values()),
          text -> SwiotlbPolicy.valueOf(text.toUpperCase(Locale.ROOT)));
    }
  }

  /** Where a disk's bytes are. */
  static final class Backend extends Words<String> {
    Backend() {
      super(List.of("file", "memory"), text -> text);
    }
  }

  /** On and off; not booleans, of which picocli has ideas of its own. */
  static final class Switch extends Words<String> {
    Switch() {
      super(List.of(ON, OFF), text -> text);
    }
  }

  /** States of a link. */
  static final class Link extends Words<String> {
    Link() {
      super(List.of("up", "down"), text -> text);
    }
  }

  /** Kinds of devices. */
  static final class Type extends Words<String> {
    Type() {
      super(List.of("blk", "console", "net", "rng"), text -> text);
    }
  }

  /** Cost profiles of an IOMMU. */
  static final class Profile extends Words<String> {
    Profile() {
      super(List.of("none", "low", "typical", "high", "series", "s390"), text -> text);
    }
  }

  /** Parts of the benchmark of virtqueues and block devices. */
  static final class VirtioPart extends Words<String> {
    VirtioPart() {
      super(List.of("ring", "blk"), text -> text);
    }
  }

  /** What can be measured. */
  static final class Bench extends Words<String> {
    Bench() {
      super(List.of("swiotlb", "iommu", "virtio", "swap"), text -> text);
    }
  }
}
