package io.carom.shell.text;

import org.apache.felix.service.command.Converter;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;

/** Prints results of our commands for Gogo, by the renderings of their classes. */
@Component(property = Converter.CONVERTER_CLASSES + "=java.lang.Record")
public final class ResultConverter implements Converter {
  /** For DS. */
  public ResultConverter() {}

  @Override
  public @Nullable Object convert(final Class<?> desiredType, final Object in) {
    // results are not made from text: commands take names
    return null;
  }

  @Override
  public @Nullable CharSequence format(
      final Object target, final int level, final Converter escape) {
    final Rendering<Object> rendering = Renderings.of(target);
    if (rendering == null) {
      return null;
    }
    return switch (level) {
      case INSPECT -> rendering.inspect().apply(target);
      case LINE -> rendering.line().apply(target);
      case PART -> rendering.part().apply(target);
      default -> throw new IllegalArgumentException("level " + level + " is none of 0, 1, 2");
    };
  }
}
