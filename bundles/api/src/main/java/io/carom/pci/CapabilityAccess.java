package io.carom.pci;

import org.osgi.annotation.versioning.ConsumerType;

/** Side effects of a capability in config space. Called on guest threads. */
@ConsumerType
public interface CapabilityAccess {
  /** In place of one whose code is away. */
  CapabilityAccess NONE =
      new CapabilityAccess() {
        @Override
        public void reading(final byte[] body, final int offset, final int width) {
          // the stored bytes are all there is
        }

        @Override
        public void written(final byte[] body, final int offset, final int width) {
          // stored, and nothing else
        }
      };

  /**
   * Before the guest reads: may change the stored bytes.
   *
   * @param body the capability's bytes, live; guarded by the bus for the length of the call
   * @param offset first byte read, from the capability's start
   * @param width 1, 2 or 4
   */
  void reading(byte[] body, int offset, int width);

  /** After the guest's write was stored under the mask. */
  void written(byte[] body, int offset, int width);
}
