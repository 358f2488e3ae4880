package io.carom.shell;

import io.carom.shell.command.CommandFunction;
import io.carom.shell.command.CommandKind;
import io.carom.shell.command.Commands;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSessionListener;
import org.apache.felix.service.command.Function;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** Registers every command with Gogo. */
@Component(
    service = {},
    immediate = true)
public final class Shell {
  private final Services services;
  private final List<ServiceRegistration<?>> registrations = new ArrayList<>();

  /** Registers them. */
  @Activate
  public Shell(final BundleContext context) {
    services = new Services(context);
    // sessions that open from now on find the commands: so the helper comes first
    registrations.add(
        context.registerService(
            CommandSessionListener.class,
            new SessionSetup(services),
            FrameworkUtil.asDictionary(Map.of())));
    for (final CommandKind kind : Commands.ALL) {
      registrations.add(
          context.registerService(
              Function.class,
              new CommandFunction(kind, services, JlineTerminal::of),
              properties(kind)));
    }
  }

  @Deactivate
  void deactivate() {
    registrations.forEach(ServiceRegistration::unregister);
    services.close();
  }

  private static Dictionary<String, Object> properties(final CommandKind kind) {
    return FrameworkUtil.asDictionary(
        Map.of(
            "osgi.command.scope", kind.scope(),
            "osgi.command.function", kind.function(),
            "service.description", kind.description()));
  }
}
