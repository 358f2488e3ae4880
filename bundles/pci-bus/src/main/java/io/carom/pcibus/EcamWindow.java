package io.carom.pcibus;

import io.carom.memory.MmioHandler;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pcibus.function.PluggedFunction;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The enhanced configuration access window of bus 0 (PCIe base specification 7.2.2): 4 KiB for each
 * function. Where there is none, loads read all ones and stores are dropped.
 */
final class EcamWindow implements MmioHandler {
  private final IntFunction<@Nullable PluggedFunction> functions;

  /**
   * A window.
   *
   * @param functions finds the function at a device and function number
   */
  EcamWindow(final IntFunction<@Nullable PluggedFunction> functions) {
    this.functions = functions;
  }

  @Override
  public long read(final long offset, final int width) {
    final PluggedFunction function = at(offset);
    if (function == null) {
      return -1;
    }
    final int register = register(offset);
    if (width == 8) { // two accesses, low half first
      return (function.readConfig(register, 4) & 0xffff_ffffL)
          | function.readConfig(register + 4, 4) << 32;
    }
    return function.readConfig(register, width);
  }

  @Override
  public void write(final long offset, final int width, final long value) {
    final PluggedFunction function = at(offset);
    if (function == null) {
      return;
    }
    final int register = register(offset);
    if (width == 8) {
      function.writeConfig(register, 4, value);
      function.writeConfig(register + 4, 4, value >>> 32);
    } else {
      function.writeConfig(register, width, value);
    }
  }

  private @Nullable PluggedFunction at(final long offset) {
    return functions.apply((int) (offset / ConfigSpaceDescriptor.ECAM_SIZE));
  }

  private static int register(final long offset) {
    return (int) (offset % ConfigSpaceDescriptor.ECAM_SIZE);
  }
}
