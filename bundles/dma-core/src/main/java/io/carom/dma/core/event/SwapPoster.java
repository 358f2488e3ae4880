package io.carom.dma.core.event;

import io.carom.dma.SwapEvents;
import io.carom.dma.SwapReport;
import io.carom.dma.core.swap.SwapStep;
import io.carom.dma.core.swap.SwapWatch;
import java.lang.reflect.RecordComponent;
import java.util.HashMap;
import java.util.Map;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventAdmin;

/** Posts swaps to Event Admin, which delivers them on threads of its own. */
public final class SwapPoster implements SwapWatch {
  private final EventAdmin admin;

  /** Posts there. */
  public SwapPoster(final EventAdmin admin) {
    this.admin = admin;
  }

  /** Whether it posts to this one. */
  public boolean postsTo(final EventAdmin other) {
    return admin == other;
  }

  @Override
  public void started(final SwapStep step) {
    post(SwapEvents.STARTED, properties(step));
  }

  @Override
  public void published(final SwapStep step) {
    post(SwapEvents.PUBLISHED, properties(step));
  }

  @Override
  public void draining(final SwapStep step) {
    post(SwapEvents.DRAINING, properties(step));
  }

  @Override
  public void finished(final SwapReport report) {
    post(SwapEvents.FINISHED, properties(report));
  }

  @Override
  public void failed(final SwapStep step, final String message) {
    final Map<String, Object> properties = properties(step);
    properties.put("message", message);
    post(SwapEvents.FAILED, properties);
  }

  @Override
  public void quarantined(
      final String pool, final String strategy, final int extents, final String reason) {
    post(
        SwapEvents.QUARANTINED,
        Map.of("pool", pool, "strategy", strategy, "extents", extents, "message", reason));
  }

  private void post(final String topic, final Map<String, Object> properties) {
    admin.postEvent(new Event(topic, properties));
  }

  /** The components of a record by their names; constants of enums as text, null left out. */
  private static Map<String, Object> properties(final Record from) {
    final Map<String, Object> properties = new HashMap<>();
    for (final RecordComponent component : from.getClass().getRecordComponents()) {
      try {
        final Object value = component.getAccessor().invoke(from);
        if (value != null) {
          properties.put(component.getName(), value instanceof Enum<?> e ? e.toString() : value);
        }
      } catch (final ReflectiveOperationException e) {
        throw new IllegalStateException(component + " cannot be read", e);
      }
    }
    return properties;
  }
}
