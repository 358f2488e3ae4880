package io.carom.virtio.device.model;

import io.carom.virtio.VirtioRequest;
import io.carom.virtio.device.queue.ChainCursor;
import io.carom.virtio.device.queue.DescriptorChain;
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
    reader.get(target, 0, length);
    return length;
  }

  @Override
  public void write(final byte[] source, final int length) {
    final ChainCursor writer = room(length);
    if (length > source.length) {
      throw new IllegalArgumentException(
          "length " + length + " of an array of " + source.length + " bytes");
    }
    writer.put(source, 0, length);
    chain().wrote(length);
  }

  @Override
  public void skip(final long bytes) {
    room(bytes).skip(bytes);
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
