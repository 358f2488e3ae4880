package io.carom.virtio.device.model;

import io.carom.virtio.VirtioModel;
import io.carom.virtio.VirtioModelContext;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.queue.QueueMode;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceLink;
import io.carom.virtio.device.type.DeviceType;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A device type that another bundle brings. What describes it is asked once, when it is made.
 *
 * <p>The configuration structure is kept here: the model changes its bytes through its context, and
 * is told of the driver's writes, which change nothing by themselves.
 */
public final class ModelDevice implements DeviceType {
  private static final int TOO_MANY = 0x10000;

  private final VirtioModel model;
  private final String origin;
  private final int type;
  private final String typeName;
  private final int classCode;
  private final long features;
  private final int queueSize;
  private final boolean translated;
  private final QueueMode[] modes;
  private final ConfigSpace config;
  private volatile boolean gone;
  private volatile boolean resuming;
  private final LongAdder requests = new LongAdder();

  /**
   * A device type.
   *
   * @param origin where the model comes from, in words
   */
  public ModelDevice(final VirtioModel model, final String origin) {
    this.model = model;
    this.origin = origin;
    type = model.type();
    typeName = model.typeName();
    classCode = model.classCode();
    features = model.features();
    queueSize = model.queueSize();
    translated = model.translated();
    config = new ConfigSpace(model.config());
    // a number that is wrong stays so, and is refused when the function is made
    modes = new QueueMode[Math.clamp(model.queues(), 0, TOO_MANY)];
    for (int i = 0; i < modes.length; i++) {
      modes[i] = mode(model, i);
    }
  }

  private static QueueMode mode(final VirtioModel model, final int queue) {
    if (model.eventQueue(queue)) {
      return QueueMode.EVENTS;
    }
    return model.servedAtDoorbell(queue) ? QueueMode.DOORBELL : QueueMode.WORKER;
  }

  @Override
  public int id() {
    return type;
  }

  @Override
  public String typeName() {
    return typeName;
  }

  @Override
  public int classCode() {
    return classCode;
  }

  @Override
  public long features() {
    return features;
  }

  @Override
  public int queues() {
    return modes.length;
  }

  @Override
  public int queueSize() {
    return queueSize;
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public boolean translated() {
    return translated;
  }

  @Override
  public QueueMode mode(final int queue) {
    return modes[queue];
  }

  @Override
  public @Nullable String refuse(final long accepted) {
    return model.refuse(accepted);
  }

  @Override
  public void plugged(final DeviceLink link) {
    gone = false;
    resuming = false;
    model.plugged(new Context(link));
  }

  @Override
  public void configWritten(final int offset, final int width, final long value) {
    model.configWritten(offset, width, value);
  }

  @Override
  public QueueHandler open(final int queue, final long accepted) {
    final VirtioModel.Handler handler =
        Objects.requireNonNull(model.open(queue, accepted), "the model gave no handler");
    final ModelRequest request = new ModelRequest();
    final boolean each = modes[queue] == QueueMode.DOORBELL;
    return new QueueHandler() {
      @Override
      public boolean returnsEach() {
        return each;
      }

      @Override
      public void handle(final DescriptorChain chain) {
        requests.increment();
        request.begin(chain);
        try {
          handler.handle(request);
        } finally {
          request.end();
        }
      }

      @Override
      public void batchBegins() {
        handler.batchBegins();
      }

      @Override
      public void batchEnds() {
        handler.batchEnds();
      }
    };
  }

  /** A model keeps what it knows by itself, and is told when the rest is as it was. */
  @Override
  public void resume(final Map<String, String> kept) {
    resuming = true;
  }

  @Override
  public void negotiated(final long accepted) {
    if (resuming) {
      resuming = false;
      model.resumed();
    }
  }

  @Override
  public void reset() {
    if (!gone) {
      model.reset();
    }
  }

  @Override
  public void unplugged() {
    gone = true; // what a driver's reset means to a model, being taken out does not
    model.unplugged();
  }

  @Override
  public long requests() {
    return requests.sum();
  }

  @Override
  public String backend() {
    return origin;
  }

  /** The model is its bundle's: there is nothing to give back. */
  @Override
  public void close() {}

  private final class Context implements VirtioModelContext {
    private final DeviceLink link;

    Context(final DeviceLink link) {
      this.link = link;
    }

    @Override
    public String address() {
      return link.address();
    }

    @Override
    public boolean send(final int queue, final byte[] event) {
      return link.send(queue, event);
    }

    @Override
    public void config(final int offset, final byte[] bytes, final boolean notify) {
      config.put(offset, bytes);
      if (notify) {
        link.configChanged();
      }
    }

    @Override
    public void needsReset(final String reason) {
      link.needsReset(reason);
    }

    @Override
    public void leaving() {
      link.leaving();
    }
  }
}
