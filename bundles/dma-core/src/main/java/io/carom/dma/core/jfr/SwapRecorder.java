package io.carom.dma.core.jfr;

import io.carom.dma.SwapReport;
import io.carom.dma.core.swap.SwapStep;
import io.carom.dma.core.swap.SwapWatch;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Records swaps and their phases. Of each device one swap goes on at a time. */
public final class SwapRecorder implements SwapWatch {
  private final Map<String, Running> running = new ConcurrentHashMap<>();

  /** Records from now on. */
  public SwapRecorder() {}

  /** The events that have begun. */
  private static final class Running {
    private final SwapEvent whole = new SwapEvent();
    private SwapPhaseEvent phase = new SwapPhaseEvent();
    private int fromGeneration;

    Running() {
      whole.begin();
      phase.begin();
    }

    /** Ends a phase, and begins the next. */
    void next(final String ended, final SwapStep step) {
      end(ended, step.device(), step.from(), step.to(), step.live());
      phase = new SwapPhaseEvent();
      phase.begin();
    }

    void end(
        final String ended,
        final String device,
        final String from,
        final String to,
        final long live) {
      phase.end();
      if (phase.shouldCommit()) {
        phase.device = device;
        phase.phase = ended;
        phase.from = from;
        phase.to = to;
        phase.live = live;
        phase.commit();
      }
    }
  }

  @Override
  public void started(final SwapStep step) {
    running.put(step.device(), new Running());
  }

  @Override
  public void published(final SwapStep step) {
    final Running swap = running.get(step.device());
    if (swap != null) {
      swap.fromGeneration = step.fromGeneration();
      swap.next("ready", step);
    }
  }

  @Override
  public void draining(final SwapStep step) {
    final Running swap = running.get(step.device());
    if (swap != null) {
      swap.next("grace", step);
    }
  }

  @Override
  public void finished(final SwapReport report) {
    final Running now = running.get(report.device());
    // a service that goes replaces its strategy also while a swap before still drains
    final boolean own = now != null && now.fromGeneration == report.fromGeneration();
    final Running swap = own ? running.remove(report.device()) : null;
    final String from = name(report.from());
    final String to = name(report.to());
    if (swap != null) {
      swap.end("drain", report.device(), from, to, report.liveAtEnd());
    }
    final SwapEvent event = swap == null ? new SwapEvent() : swap.whole;
    event.end();
    if (event.shouldCommit()) {
      event.device = report.device();
      event.from = from;
      event.to = to;
      event.cause = report.cause();
      event.outcome = report.outcome();
      event.fromGeneration = report.fromGeneration();
      event.toGeneration = report.toGeneration();
      event.liveAtPublish = report.liveAtPublish();
      event.liveAtEnd = report.liveAtEnd();
      event.movedExtents = report.movedExtents();
      event.borrowedMaps = report.borrowedMaps();
      event.failedMaps = report.failedMaps();
      event.commit();
    }
  }

  @Override
  public void failed(final SwapStep step, final String message) {
    running.remove(step.device());
  }

  private static String name(final @Nullable String strategy) {
    return strategy == null ? "none" : strategy;
  }
}
