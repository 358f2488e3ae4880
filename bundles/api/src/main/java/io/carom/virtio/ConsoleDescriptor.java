package io.carom.virtio;

/**
 * The console device (virtio 1.4, section Console Device), little-endian.
 *
 * <pre>
 *  queues:  receive 0, transmit 1 (port 0), control receive 2, control transmit 3,
 *           receive 2n+2, transmit 2n+3 (port n from 1 on)
 *  control: id (32) │ event (16) │ value (16) │ RESIZE: cols (16) rows (16); PORT_NAME: its bytes
 * </pre>
 */
public final class ConsoleDescriptor {
  /** u16 columns, with SIZE. */
  public static final int CONFIG_COLS = 0;

  /** u16 rows, with SIZE. */
  public static final int CONFIG_ROWS = 2;

  /** u32 most ports, with MULTIPORT. */
  public static final int CONFIG_MAX_PORTS = 4;

  /** u32 whose low byte is written out at once, with EMERG_WRITE. */
  public static final int CONFIG_EMERGENCY = 8;

  /** Bytes of the configuration structure. */
  public static final int CONFIG_SIZE = 12;

  /** Queue of control messages to the driver. */
  public static final int CONTROL_RECEIVE = 2;

  /** Queue of control messages to the device. */
  public static final int CONTROL_TRANSMIT = 3;

  /** u32 port of a control message. */
  public static final int CONTROL_ID = 0;

  /** u16 event of a control message. */
  public static final int CONTROL_EVENT = 4;

  /** u16 value of a control message. */
  public static final int CONTROL_VALUE = 6;

  /** Bytes of a control message without what follows some. */
  public static final int CONTROL_SIZE = 8;

  /** Driver: it is ready, value 1, or has failed, value 0. */
  public static final int DEVICE_READY = 0;

  /** Device: there is a port. */
  public static final int DEVICE_ADD = 1;

  /** Device: a port is gone. */
  public static final int DEVICE_REMOVE = 2;

  /** Driver: it has taken up a port, value 1, or could not, value 0. */
  public static final int PORT_READY = 3;

  /** Device: a port is a console. */
  public static final int CONSOLE_PORT = 4;

  /** Device: columns and rows of a console port, which follow. */
  public static final int RESIZE = 5;

  /** Either: its end of a port is open, value 1, or closed, value 0. */
  public static final int PORT_OPEN = 6;

  /** Device: the name of a port, which follows, not terminated. */
  public static final int PORT_NAME = 7;

  private ConsoleDescriptor() {}

  /** The queue on which a port receives. */
  public static int receiveQueue(final int port) {
    return port == 0 ? 0 : 2 * port + 2; // a port's number is small
  }

  /** The queue on which a port transmits. */
  public static int transmitQueue(final int port) {
    return receiveQueue(port) + 1;
  }
}
