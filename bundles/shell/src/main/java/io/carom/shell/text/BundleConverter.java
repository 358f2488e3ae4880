package io.carom.shell.text;

import java.util.Arrays;
import org.apache.felix.service.command.Converter;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * Finds a bundle by its number or its symbolic name, so that Felix's commands ({@code stop}, {@code
 * start}, {@code update}, {@code refresh}) take either. At a console Gogo's own shell does that;
 * {@code ./carom -c} runs without one.
 */
@Component(property = Converter.CONVERTER_CLASSES + "=org.osgi.framework.Bundle")
public final class BundleConverter implements Converter {
  private final BundleContext context;

  /** Among the bundles of a framework. */
  @Activate
  public BundleConverter(final BundleContext context) {
    this.context = context;
  }

  @Override
  public @Nullable Object convert(final Class<?> desiredType, final Object in) {
    if (desiredType != Bundle.class || in instanceof Bundle) {
      return null;
    }
    final String wanted = in.toString();
    return Arrays.stream(context.getBundles())
        .filter(
            bundle ->
                wanted.equals(String.valueOf(bundle.getBundleId()))
                    || wanted.equals(bundle.getSymbolicName()))
        .findFirst()
        .orElse(null);
  }

  @Override
  public @Nullable CharSequence format(
      final Object target, final int level, final Converter escape) {
    return null; // as anything else
  }
}
