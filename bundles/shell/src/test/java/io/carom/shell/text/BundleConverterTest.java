package io.carom.shell.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.nio.CharBuffer;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

class BundleConverterTest {
  private final Bundle felix =
      fake(Bundle.class, Map.of("getBundleId", 0L, "getSymbolicName", "f"));
  private final Bundle shell =
      fake(Bundle.class, Map.of("getBundleId", 31L, "getSymbolicName", "io.carom.shell"));
  private final BundleConverter converter =
      new BundleConverter(
          fake(BundleContext.class, Map.of("getBundles", new Bundle[] {felix, shell})));

  private static <T> T fake(final Class<T> type, final Map<String, Object> answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> answers.get(method.getName())));
  }

  @Test
  void findsABundleByNumberOrName() {
    assertThat(converter.convert(Bundle.class, "31")).isSameAs(shell);
    assertThat(converter.convert(Bundle.class, CharBuffer.wrap("io.carom.shell")))
        .as("Gogo's words are no strings")
        .isSameAs(shell);
    assertThat(converter.convert(Bundle.class, 0L)).isSameAs(felix);
  }

  @Test
  void leavesTheRestToOthers() {
    assertThat(converter.convert(Bundle.class, "32")).isNull();
    assertThat(converter.convert(Bundle.class, "")).isNull();
    assertThat(converter.convert(String.class, "31")).isNull();
  }
}
