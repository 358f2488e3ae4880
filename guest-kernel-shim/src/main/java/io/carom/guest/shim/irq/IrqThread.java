package io.carom.guest.shim.irq;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread for interrupts that are rare and whose handler does more than wake somebody:
 * configuration changes, hotplug, INTx.
 *
 * <p>Protocol: the interrupt sets its handler's latch and unparks the thread. The thread clears a
 * latch before it runs the handler, and looks at every latch again before it parks; so an interrupt
 * that comes while its handler runs makes it run once more, and none is lost.
 */
public final class IrqThread {
  private static final Logger LOG = LoggerFactory.getLogger(IrqThread.class);

  private final List<Handler> handlers = new CopyOnWriteArrayList<>();
  private final Thread thread;
  private volatile boolean stopped;

  /** Starts the thread. */
  public IrqThread(final String name) {
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Adds a handler; give its {@link Handler#wake} to a vector. */
  public Handler handler(final String name, final Runnable work) {
    final Handler handler = new Handler(name, work);
    handlers.add(handler);
    return handler;
  }

  /** Ends the thread after the handler in hand; returns whether it ended in time. */
  public boolean stop(final Duration timeout) {
    stopped = true;
    LockSupport.unpark(thread);
    try {
      return Thread.currentThread() == thread || thread.join(timeout);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void run() {
    while (!stopped) {
      if (!work()) {
        LockSupport.park(this); // a permit left by an unpark since the scan makes this return
      }
    }
  }

  /**
   * A method of its own: a loop's variables would hold handlers that were closed while it parks.
   */
  private boolean work() {
    boolean worked = false;
    for (final Handler handler : handlers) {
      if (handler.latch.compareAndSet(true, false)) {
        worked = true;
        handler.run();
      }
    }
    return worked;
  }

  /** A handler of this thread. */
  public final class Handler implements AutoCloseable {
    private final String name;
    private final Runnable work;
    private final AtomicBoolean latch = new AtomicBoolean();

    Handler(final String name, final Runnable work) {
      this.name = name;
      this.work = work;
    }

    /** Makes the handler run soon; cheap, callable from any thread. */
    public void wake() {
      latch.set(true);
      LockSupport.unpark(thread);
    }

    /** Removes the handler; a run that has begun may still finish. */
    @Override
    public void close() {
      handlers.remove(this);
    }

    private void run() {
      try {
        work.run();
      } catch (final RuntimeException | LinkageError e) {
        LOG.error("interrupt handler {} failed", name, e);
      }
    }
  }
}
