package io.carom.pcibus;

import io.carom.pci.OwnRange;
import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A device model that writes down what it is told. */
public final class FakeFunction implements PciFunction {
  /** Calls, in order. */
  public final List<String> calls = new CopyOnWriteArrayList<>();

  /** Thrown by the next calls while set. */
  public volatile @Nullable RuntimeException failure;

  /** Called with each call before it returns, on its thread; may hang. */
  public volatile Consumer<String> hook = call -> {};

  /** What loads read. */
  public volatile long value = 0x55;

  /** Set while plugged. */
  public volatile @Nullable PciAttachment attachment;

  private final PciFunctionSpec spec;

  /** A function. */
  public FakeFunction(final PciFunctionSpec spec) {
    this.spec = spec;
  }

  /** Its range, where it says one. */
  public @Nullable OwnRange range;

  @Override
  public @Nullable OwnRange ownRange() {
    return range;
  }

  @Override
  public PciFunctionSpec spec() {
    return spec;
  }

  /** The attachment of a plugged function. */
  public PciAttachment attached() {
    final PciAttachment now = attachment;
    if (now == null) {
      throw new AssertionError("not plugged");
    }
    return now;
  }

  @Override
  public void plugged(final PciAttachment attached) {
    note("plugged " + attached.address());
    attachment = attached;
  }

  @Override
  public void unplugged() {
    attachment = null;
    note("unplugged");
  }

  @Override
  public long read(final int bar, final long offset, final int width) {
    note("read " + bar + " " + offset + " " + width);
    return value;
  }

  @Override
  public void write(final int bar, final long offset, final int width, final long value) {
    note("write " + bar + " " + offset + " " + width + " " + value);
  }

  @Override
  public void commandChanged(final int command) {
    note("command " + Integer.toHexString(command));
  }

  private void note(final String call) {
    calls.add(call);
    hook.accept(call);
    final RuntimeException now = failure;
    if (now != null) {
      throw now;
    }
  }
}
