package io.carom.guest.shim.console;

import io.carom.guest.GuestConsole;
import io.carom.guest.shim.block.KernelClock;
import io.carom.guest.shim.irq.IrqThread;
import java.util.concurrent.Executor;

/**
 * What the driver of consoles stands on.
 *
 * @param irqThread thread that reads what a device sends
 * @param work the kernel's work thread
 * @param registry the ports
 * @param getty starts what serves a console
 * @param clock time
 */
public record ConsolePlatform(
    IrqThread irqThread,
    Executor work,
    ConsoleRegistry registry,
    GettyStarter getty,
    KernelClock clock) {
  /** Starts a getty on a console that has just appeared; it ends when the console goes. */
  @FunctionalInterface
  public interface GettyStarter {
    /** Starts one; returns at once. */
    void start(String name, GuestConsole.Handle console);
  }
}
