package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import io.carom.virtio.RingRecord;
import java.util.List;

/**
 * The device side of one ring. Used by one thread at a time, inside a section of its bus session
 * that {@link #enter} was called in.
 */
public interface VirtQueue {
  /**
   * Enters a section: finds the ring's memory again if the route to it has changed.
   *
   * @param version what {@link BusSession#begin} returned
   * @throws QueueException when an area is not reachable
   */
  void enter(BusSession session, long version) throws QueueException;

  /**
   * Takes the next available chain.
   *
   * @param chain filled with the chain's buffers
   * @return false when none is available
   * @throws QueueException when the ring or the chain breaks a rule; nothing was taken then
   */
  boolean pop(BusSession session, DescriptorChain chain) throws QueueException;

  /**
   * Returns a popped chain, with the number of bytes written to it. Not visible before {@link
   * #publish}.
   */
  void push(DescriptorChain chain);

  /**
   * Gives up the chains that were popped last and not pushed: they are available again, in their
   * order.
   *
   * @param chains how many; as many as were popped since the last push
   */
  void rewind(int chains);

  /**
   * Makes the returned chains visible to the driver, unless the record is void: then another
   * incarnation of the device serves the queue, and {@link #over} says so.
   *
   * @return whether the driver wants a notification for them
   */
  boolean publish();

  /** Whether publishing was refused, and the ring must not be touched any more. */
  boolean over();

  /** Whether every chain that was taken is published or given up; for who serves, or at rest. */
  boolean idle();

  /** Asks the driver not to notify; a hint that may cost nothing. */
  void disableNotifications();

  /**
   * Asks the driver to notify of the next chain.
   *
   * @return whether a chain became available meanwhile, of which no notification may come
   * @throws QueueException when the ring's index breaks a rule
   */
  boolean enableNotifications() throws QueueException;

  /**
   * Has positions and heads in flight written through to a record; before it is served. Without,
   * nothing is kept.
   */
  void keep(RingRecord record);

  /**
   * Where the next chain is taken from, as {@link io.carom.virtio.VirtioState.QueueState} has it;
   * only while nobody serves.
   */
  int nextAvail();

  /** Where the next chain is returned to; equal to {@link #nextAvail} when none is in flight. */
  int nextUsed();

  /** Heads or buffer ids of the chains in flight, the oldest first; only while nobody serves. */
  List<Integer> inFlight();
}
