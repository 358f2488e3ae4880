package io.carom.pcibus.function;

import io.carom.pci.PciFunction;
import io.carom.pci.SlotRecord.Doorbell;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bus's calls into a device model. Its code may fail, and after an update of its bundle classes
 * may be missing; neither may hurt the guest thread that happens to be there. Such a call reads all
 * ones; the first one is logged. What happens while the model is away: {@link AbsentCalls}.
 */
final class FunctionCalls {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionCalls.class);
  private static final int PLUGGING = 4;

  private final AbsentCalls absent;
  private final String label;
  private volatile boolean logged;

  FunctionCalls(final AbsentCalls absent, final String label) {
    this.absent = absent;
    this.label = label;
  }

  /** A load of a register; waits while the model is away, and reads all ones if it stays away. */
  long read(final int bar, final long offset, final int width) {
    while (true) {
      final Attachment now = enter();
      if (now == null) {
        return -1;
      }
      long value = -1;
      try {
        value = now.model().read(bar, offset, width);
      } catch (final RuntimeException | LinkageError e) {
        failed("read of BAR " + bar, e);
      } finally {
        now.leave();
      }
      if (!now.abandoned()) {
        return value;
      }
    }
  }

  /** A store to a register; waits while the model is away, and is dropped if it stays away. */
  void write(final int bar, final long offset, final int width, final long value) {
    Attachment now;
    do {
      now = enter();
      if (now == null) {
        return;
      }
      try {
        store(now, bar, offset, width, value);
      } finally {
        now.leave();
      }
    } while (now.abandoned());
  }

  /** A store to a doorbell; latched while the model is away. */
  void ring(final int bar, final long offset, final int width, final long value) {
    Attachment now = absent.present();
    while (true) {
      if (now == null) {
        now = absent.latch(bar, offset, width, value);
        if (now == null) {
          return;
        }
      }
      store(now, bar, offset, width, value);
      final Attachment after = absent.present();
      if (after == now) {
        return;
      }
      now = after;
    }
  }

  /** A doorbell that was latched, rung at who comes back. */
  void replay(final Attachment next, final Doorbell latch) {
    store(next, latch.bar(), latch.offset(), latch.width(), latch.value());
  }

  private void store(
      final Attachment to, final int bar, final long offset, final int width, final long value) {
    try { // not through guarded(): doorbells come here, and must not allocate
      to.model().write(bar, offset, width, value);
    } catch (final RuntimeException | LinkageError e) {
      failed("write of BAR " + bar, e);
    }
  }

  /**
   * Counts an access in, waiting while the model is away.
   *
   * @return whose {@link Attachment#leave} is to be called; null when there is nobody
   */
  @Nullable Attachment enter() {
    long deadline = 0;
    boolean waited = false;
    while (true) {
      final Attachment now = absent.present();
      if (now != null && now.enter()) {
        return now;
      }
      if (!waited) {
        waited = true;
        deadline = absent.patienceFromNow();
      }
      if (!absent.await(deadline)) {
        return null;
      }
    }
  }

  void commandChanged(final int command) {
    final Attachment now = absent.present();
    if (now == null) {
      absent.commandChanged();
    } else {
      commandChanged(now, command);
    }
  }

  /** Tells one incarnation. */
  void commandChanged(final Attachment to, final int command) {
    guarded("change of the command register", () -> to.model().commandChanged(command));
  }

  /**
   * Tells a model that it is plugged; false when that failed, or it is unplugged by now. Bounded: a
   * model may take a multiple of what it may take to go, as it takes up a state; one that takes
   * longer is told that it is unplugged as soon as it returns.
   */
  boolean plugged(final Attachment attachment, final Duration patience) {
    if (!attachment.plugging()) {
      return false;
    }
    final AtomicBoolean stays = new AtomicBoolean();
    final boolean ended =
        BoundedCall.run(
            label,
            "plugged()",
            patience.multipliedBy(PLUGGING),
            () -> stays.set(plug(attachment, patience)));
    if (!ended) {
      unplugged(attachment, patience);
    }
    return ended && stays.get();
  }

  private boolean plug(final Attachment attachment, final Duration patience) {
    final PciFunction model = attachment.model();
    final boolean well = guarded("plugging in", () -> model.plugged(attachment));
    if (attachment.pluggedIn()) {
      return well;
    }
    tellUnplugged(attachment, patience); // taken out meanwhile
    return false;
  }

  /** Tells a model that it is unplugged, unless it was told; bounded. */
  void unplugged(final Attachment attachment, final Duration patience) {
    if (attachment.beginUnplug()) {
      tellUnplugged(attachment, patience);
    }
  }

  private void tellUnplugged(final Attachment attachment, final Duration patience) {
    final PciFunction model = attachment.model();
    BoundedCall.run(label, "unplugged()", patience, () -> guarded("unplugging", model::unplugged));
  }

  private boolean guarded(final String what, final Runnable call) {
    try {
      call.run();
      return true;
    } catch (final RuntimeException | LinkageError e) {
      failed(what, e);
      return false;
    }
  }

  private void failed(final String what, final Throwable cause) {
    if (!logged) {
      logged = true;
      LOG.error("{}: {} failed; further failures are not logged", label, what, cause);
    }
  }
}
