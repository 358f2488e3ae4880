package io.carom.virtio.device.console;

import io.carom.virtio.ConsoleDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Control messages (virtio 1.4, section Multiport Device Operation), as bytes. */
final class ControlMessage {
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private ControlMessage() {}

  static byte[] of(final int port, final int event, final int value) {
    return sized(ConsoleDescriptor.CONTROL_SIZE, port, event, value);
  }

  /** Columns stand first here, as they do in the configuration. */
  static byte[] resize(final int port, final int columns, final int rows) {
    final byte[] bytes =
        sized(ConsoleDescriptor.CONTROL_SIZE + 2 * Short.BYTES, port, ConsoleDescriptor.RESIZE, 0);
    final MemorySegment message = MemorySegment.ofArray(bytes);
    message.set(U16, ConsoleDescriptor.CONTROL_SIZE, (short) columns);
    message.set(U16, ConsoleDescriptor.CONTROL_SIZE + Short.BYTES, (short) rows);
    return bytes;
  }

  static byte[] name(final int port, final String name) {
    final byte[] text = name.getBytes(StandardCharsets.UTF_8);
    final byte[] bytes =
        sized(ConsoleDescriptor.CONTROL_SIZE + text.length, port, ConsoleDescriptor.PORT_NAME, 1);
    System.arraycopy(text, 0, bytes, ConsoleDescriptor.CONTROL_SIZE, text.length);
    return bytes;
  }

  private static byte[] sized(final int size, final int port, final int event, final int value) {
    final byte[] bytes = new byte[size];
    final MemorySegment message = MemorySegment.ofArray(bytes);
    message.set(U32, ConsoleDescriptor.CONTROL_ID, port);
    message.set(U16, ConsoleDescriptor.CONTROL_EVENT, (short) event);
    message.set(U16, ConsoleDescriptor.CONTROL_VALUE, (short) value);
    return bytes;
  }

  static int port(final byte[] message) {
    return MemorySegment.ofArray(message).get(U32, ConsoleDescriptor.CONTROL_ID);
  }

  static int event(final byte[] message) {
    return MemorySegment.ofArray(message).get(U16, ConsoleDescriptor.CONTROL_EVENT) & 0xffff;
  }

  static int value(final byte[] message) {
    return MemorySegment.ofArray(message).get(U16, ConsoleDescriptor.CONTROL_VALUE) & 0xffff;
  }
}
