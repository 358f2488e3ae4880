package io.carom.shell.json;

import com.google.gson.FieldNamingStrategy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import io.carom.virtio.SwiotlbPolicy;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Results as JSON: a record becomes an object with its components as keys; what was not measured is
 * null; enumerations are spelled as on the command line.
 */
public final class Json {
  private static final int DECIMALS = 3;

  /** A key that is a word of Java is spelled with an underscore behind it there. */
  private static final FieldNamingStrategy KEYS =
      field ->
          field.getName().endsWith("_")
              ? field.getName().substring(0, field.getName().length() - 1)
              : field.getName();

  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .setFieldNamingStrategy(KEYS)
          .disableHtmlEscaping()
          .registerTypeHierarchyAdapter(
              Enum.class,
              (JsonSerializer<Enum<?>>) (value, type, context) -> new JsonPrimitive(name(value)))
          .registerTypeAdapter(
              byte[].class,
              (JsonSerializer<byte[]>)
                  (value, type, context) -> new JsonPrimitive(HexFormat.of().formatHex(value)))
          .registerTypeAdapter(
              double.class, (JsonSerializer<Double>) (value, type, context) -> number(value))
          .registerTypeAdapter(
              Double.class, (JsonSerializer<Double>) (value, type, context) -> number(value))
          .create();

  private Json() {}

  /** A result as one JSON object. */
  public static JsonDocument document(final Object result) {
    return new JsonDocument(
        GSON.toJson(result instanceof final JsonView view ? view.json() : result),
        result instanceof final Failing failing && failing.failed());
  }

  private static String name(final Enum<?> value) {
    return value instanceof SwiotlbPolicy
        ? value.name().toLowerCase(Locale.ROOT)
        : value.toString();
  }

  private static JsonElement number(final double value) {
    if (!Double.isFinite(value)) {
      return JsonNull.INSTANCE;
    }
    final BigDecimal rounded =
        BigDecimal.valueOf(value).setScale(DECIMALS, RoundingMode.HALF_UP).stripTrailingZeros();
    // a negative scale would print 100 as 1E+2
    return new JsonPrimitive(rounded.scale() < 0 ? rounded.setScale(0) : rounded);
  }
}
