package io.carom.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Native memory that the host commits page by page when it is first touched. {@link
 * Arena#allocate(long, long)} zeroes, and so commits, all of it at once.
 *
 * <p>The memory is freed when no segment of it is reachable any more, and by nothing else: there is
 * no way to use it after it was freed.
 */
@SuppressWarnings("restricted") // calloc and free, and the bounds that only their caller knows
public final class LazyMemory {
  private static final MethodHandle CALLOC;
  private static final MethodHandle FREE;

  static {
    final Linker linker = Linker.nativeLinker();
    CALLOC =
        linker.downcallHandle(
            linker.defaultLookup().find("calloc").orElseThrow(),
            FunctionDescriptor.of(
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    FREE =
        linker.downcallHandle(
            linker.defaultLookup().find("free").orElseThrow(),
            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
  }

  private LazyMemory() {}

  /**
   * Allocates zeroed memory, aligned to a page.
   *
   * @param size bytes, at least 1
   * @throws OutOfMemoryError when the host refuses
   */
  public static MemorySegment allocate(final long size) {
    if (size <= 0) {
      throw new IllegalArgumentException("size " + size + " is not positive");
    }
    final long padded = Math.addExact(size, PhysicalLayout.PAGE_SIZE);
    final MemorySegment raw = calloc(padded);
    if (raw.address() == 0) {
      throw new OutOfMemoryError("the host has no " + size + " bytes of memory");
    }
    // In bounds: calloc returned `padded` bytes. The automatic arena keeps them until the last
    // segment derived from this one is unreachable, then frees them once.
    final MemorySegment all = raw.reinterpret(padded, Arena.ofAuto(), LazyMemory::free);
    final long misalignment = raw.address() & (PhysicalLayout.PAGE_SIZE - 1);
    final long start = misalignment == 0 ? 0 : PhysicalLayout.PAGE_SIZE - misalignment;
    return all.asSlice(start, size); // start < PAGE_SIZE, so start + size <= padded
  }

  private static MemorySegment calloc(final long size) {
    try {
      return (MemorySegment) CALLOC.invokeExact(1L, size);
    } catch (final Throwable e) {
      throw new IllegalStateException("calloc failed", e);
    }
  }

  private static void free(final MemorySegment memory) {
    try {
      FREE.invokeExact(memory);
    } catch (final Throwable e) {
      throw new IllegalStateException("free failed", e);
    }
  }
}
