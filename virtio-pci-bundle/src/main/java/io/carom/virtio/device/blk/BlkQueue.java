package io.carom.virtio.device.blk;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.queue.ChainCursor;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueHandler;
import java.io.IOException;
import java.util.concurrent.atomic.LongAdder;

/**
 * Serves the requests of one queue (virtio 1.4, section Block Device / Device Operation).
 *
 * <p>A chain without room for the header or the status byte is no request: there is nowhere to put
 * an answer, and the device needs a reset. Anything else gets a status, and {@code used.len} counts
 * what was really written: data that were read, and the status byte. An error of the backend is one
 * of the answers; one of the code is none, and its request is served again.
 *
 * <p>The sector is compared before it is multiplied: a sector within the capacity is below 2^55, so
 * its byte position cannot overflow.
 */
final class BlkQueue implements QueueHandler {
  private final BlkDevice device;
  private final BlkBackend backend;
  private final LongAdder requests;
  private final byte[] id;
  private final BlkRanges ranges;
  private final long accepted;

  BlkQueue(
      final BlkDevice device,
      final BlkBackend backend,
      final LongAdder requests,
      final long accepted) {
    this.accepted = accepted;
    ranges = new BlkRanges(device, backend);
    this.device = device;
    this.backend = backend;
    this.requests = requests;
    id = device.idString();
  }

  @Override
  public void handle(final DescriptorChain chain) throws QueueException {
    if (chain.readableBytes() < BlkDescriptor.REQUEST_HEADER) {
      throw new QueueException(
          "a request with "
              + chain.readableBytes()
              + " readable bytes has no header of "
              + BlkDescriptor.REQUEST_HEADER);
    }
    if (chain.writableBytes() == 0) {
      throw new QueueException("a request has no writable byte for its status");
    }
    requests.increment();
    int status;
    try {
      status = serve(chain);
    } catch (final IOException e) {
      device.backendFailed(e);
      status = BlkDescriptor.S_IOERR;
    }
    chain.writeLast((byte) status);
  }

  private int serve(final DescriptorChain chain) throws IOException {
    final ChainCursor header = chain.reader();
    final int type = header.getInt();
    header.getInt(); // reserved
    final long sector = header.getLong();
    final long out = header.remaining();
    final long in = chain.writableBytes() - 1;
    return switch (type) {
      case BlkDescriptor.T_IN -> {
        // data of a read are writable only, and legal only as whole sectors of the disk
        if (out != 0 || !device.covers(sector, in)) {
          yield BlkDescriptor.S_IOERR;
        }
        read(chain, sector * BlkDescriptor.SECTOR, in);
        yield BlkDescriptor.S_OK;
      }
      case BlkDescriptor.T_OUT -> {
        if (in != 0 || device.readOnly() || !device.covers(sector, out)) {
          yield BlkDescriptor.S_IOERR;
        }
        write(chain, sector * BlkDescriptor.SECTOR, out);
        device.written();
        yield BlkDescriptor.S_OK;
      }
      case BlkDescriptor.T_FLUSH -> {
        backend.flush();
        yield BlkDescriptor.S_OK;
      }
      case BlkDescriptor.T_GET_ID -> {
        getId(chain, in);
        yield BlkDescriptor.S_OK;
      }
      case BlkDescriptor.T_DISCARD -> {
        if (!has(VirtioFeatures.BLK_DISCARD)) {
          yield BlkDescriptor.S_UNSUPP;
        }
        yield in == 0 ? ranges.serve(header, false) : BlkDescriptor.S_IOERR;
      }
      case BlkDescriptor.T_WRITE_ZEROES -> {
        if (!has(VirtioFeatures.BLK_WRITE_ZEROES)) {
          yield BlkDescriptor.S_UNSUPP;
        }
        yield in == 0 ? ranges.serve(header, true) : BlkDescriptor.S_IOERR;
      }
      // lifetime, secure erase and zones are not offered, so whoever asks for them is told
      default -> BlkDescriptor.S_UNSUPP;
    };
  }

  private boolean has(final long feature) {
    return (accepted & feature) != 0;
  }

  private void read(final DescriptorChain chain, final long position, final long bytes)
      throws IOException {
    for (long done = 0; done < bytes; ) {
      final long piece = chain.writer().piece(bytes - done);
      backend.read(position + done, chain.writer().memory(), chain.writer().offset(), piece);
      done += piece;
      chain.wrote(piece);
    }
  }

  private void write(final DescriptorChain chain, final long position, final long bytes)
      throws IOException {
    for (long done = 0; done < bytes; ) {
      final long piece = chain.reader().piece(bytes - done);
      backend.write(position + done, chain.reader().memory(), chain.reader().offset(), piece);
      done += piece;
    }
  }

  private void getId(final DescriptorChain chain, final long room) {
    final int bytes = (int) Math.min(room, id.length);
    chain.writer().put(id, 0, bytes);
    chain.wrote(bytes);
  }
}
