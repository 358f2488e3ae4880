package io.carom.virtio.device.host;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;

/**
 * Whether the whole framework goes down: then nothing comes in the place of a device that is taken
 * out, and who waited for it would only delay the end.
 */
final class PowerOff {
  private PowerOff() {}

  static boolean isUnderWay(final BundleContext context) {
    final Bundle system = context.getBundle(Constants.SYSTEM_BUNDLE_ID);
    return system != null && system.getState() == Bundle.STOPPING;
  }
}
