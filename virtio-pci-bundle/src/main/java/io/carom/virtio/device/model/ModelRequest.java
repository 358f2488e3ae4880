package io.carom.virtio.device.model;

import io.carom.virtio.VirtioRequest;
import io.carom.virtio.device.queue.ChainCursor;
import io.carom.virtio.device.queue.DescriptorChain;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A chain as a model sees it. One object is used again for every request of a queue. Between
 * requests it is over, and says so: a model that kept it must not reach memory outside the section
 * that the chain was popped in.
 */
final class ModelRequest implements VirtioRequest {
  private @Nullable DescriptorChain current;

  void begin(final DescriptorChain chain) {
    current = chain;
  }

  void end() {
    current = null;
  }

  private DescriptorChain chain() {
    final DescriptorChain chain = current;
    if (chain == null) {
      throw new IllegalStateException("the request is over: it is valid while it is handled");
    }
    return chain;
  }

  @Override
  public long readable() {
    return chain().reader().remaining();
  }

  @Override
  public long writable() {
    return chain().writer().remaining();
  }

  @Override
  public int read(final byte[] target) {
    final ChainCursor reader = chain().reader();
    final int length = (int) Math.min(target.length, reader.remaining());
    final MemorySegment to = MemorySegment.ofArray(target);
    for (int done = 0; done < length; ) {
      final MemorySegment piece = reader.next(length - done);
      MemorySegment.copy(piece, 0, to, done, piece.byteSize());
      done += (int) piece.byteSize(); // at most an array's length
    }
    return length;
  }

  @Override
  public void write(final byte[] source, final int length) {
    final ChainCursor writer = room(length);
    if (length > source.length) {
      throw new IllegalArgumentException(
          "length " + length + " of an array of " + source.length + " bytes");
    }
    final MemorySegment from = MemorySegment.ofArray(source);
    for (int done = 0; done < length; ) {
      final MemorySegment piece = writer.next(length - done);
      MemorySegment.copy(from, done, piece, 0, piece.byteSize());
      done += (int) piece.byteSize();
    }
    chain().wrote(length);
  }

  @Override
  public void skip(final long bytes) {
    final ChainCursor writer = room(bytes);
    for (long done = 0; done < bytes; ) {
      done += writer.next(bytes - done).byteSize();
    }
    chain().wrote(bytes);
  }

  private ChainCursor room(final long bytes) {
    final ChainCursor writer = chain().writer();
    if (bytes < 0 || bytes > writer.remaining()) {
      throw new IllegalArgumentException(
          bytes + " bytes are not in 0.." + writer.remaining() + ", what can be written");
    }
    return writer;
  }
}
