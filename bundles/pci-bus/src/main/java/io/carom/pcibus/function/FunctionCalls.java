package io.carom.pcibus.function;

import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bus's calls into a device model. Its code may fail, and after an update of its bundle classes
 * may be missing; neither may hurt the guest thread that happens to be there. Such a call reads all
 * ones; the first one is logged.
 */
final class FunctionCalls {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionCalls.class);

  private final PciFunction function;
  private final String label;
  private volatile boolean gone;
  private volatile boolean logged;

  FunctionCalls(final PciFunction function, final String label) {
    this.function = function;
    this.label = label;
  }

  /** From now on registers answer as where there is nothing. */
  void gone() {
    gone = true;
  }

  long read(final int bar, final long offset, final int width) {
    if (gone) {
      return -1;
    }
    try {
      return function.read(bar, offset, width);
    } catch (final RuntimeException | LinkageError e) {
      failed("read of BAR " + bar, e);
      return -1;
    }
  }

  void write(final int bar, final long offset, final int width, final long value) {
    if (gone) {
      return;
    }
    try { // not through guarded(): doorbells come here, and must not allocate
      function.write(bar, offset, width, value);
    } catch (final RuntimeException | LinkageError e) {
      failed("write of BAR " + bar, e);
    }
  }

  void commandChanged(final int command) {
    guarded("change of the command register", () -> function.commandChanged(command));
  }

  boolean plugged(final PciAttachment attachment) {
    return guarded("plugging in", () -> function.plugged(attachment));
  }

  void unplugged() {
    guarded("unplugging", function::unplugged);
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
