package io.carom.style;

import static org.junit.jupiter.api.Assertions.fail;

import com.puppycrawl.tools.checkstyle.Checker;
import com.puppycrawl.tools.checkstyle.ConfigurationLoader;
import com.puppycrawl.tools.checkstyle.PropertiesExpander;
import com.puppycrawl.tools.checkstyle.api.AuditEvent;
import com.puppycrawl.tools.checkstyle.api.AuditListener;
import com.puppycrawl.tools.checkstyle.api.CheckstyleException;
import com.puppycrawl.tools.checkstyle.api.Configuration;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** Runs the rules of {@code cnf/style/checkstyle.xml}. */
class CheckstyleTest {
  @Test
  @DisabledIfSystemProperty(named = "style.fix", matches = "true")
  void sourcesKeepTheRules() throws CheckstyleException, IOException {
    Configuration rules =
        ConfigurationLoader.loadConfiguration(
            Sources.ROOT.resolve("cnf/style/checkstyle.xml").toString(),
            new PropertiesExpander(new Properties()));
    Violations violations = new Violations();
    Checker checker = new Checker();
    try {
      checker.setModuleClassLoader(Checker.class.getClassLoader());
      checker.configure(rules);
      checker.addListener(violations);
      checker.process(Sources.all().stream().map(Path::toFile).toList());
    } finally {
      checker.destroy();
    }
    if (!violations.lines.isEmpty()) {
      fail("rules of cnf/style/checkstyle.xml are broken\n" + String.join("\n", violations.lines));
    }
  }

  private static final class Violations implements AuditListener {
    private final List<String> lines = new ArrayList<>();

    @Override
    public void addError(AuditEvent event) {
      Path file = Path.of(event.getFileName());
      lines.add(Sources.name(file) + ":" + event.getLine() + ": " + event.getMessage());
    }

    @Override
    public void addException(AuditEvent event, Throwable thrown) {
      lines.add(Sources.name(Path.of(event.getFileName())) + ": " + thrown);
    }

    @Override
    public void auditStarted(AuditEvent event) {}

    @Override
    public void auditFinished(AuditEvent event) {}

    @Override
    public void fileStarted(AuditEvent event) {}

    @Override
    public void fileFinished(AuditEvent event) {}
  }
}
