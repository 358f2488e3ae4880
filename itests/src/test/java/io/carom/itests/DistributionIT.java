package io.carom.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;

/** The bundles of the distribution resolve and start, and are configured. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class DistributionIT {
  @Inject private BundleContext context;
  @Inject private ConfigurationAdmin configurations;

  /** Provisions the distribution. */
  @Configuration
  public Option[] distribution() throws Exception {
    return Dist.options();
  }

  @Test
  public void everyBundleStarts() {
    for (Bundle bundle : context.getBundles()) {
      assertEquals(bundle.toString(), Bundle.ACTIVE, bundle.getState());
    }
  }

  @Test
  public void theConfiguratorAppliesTheInitialConfiguration() throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!pids().contains("io.carom.machine")) {
      assertTrue("configured: " + pids(), System.nanoTime() < deadline);
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  private List<String> pids() throws Exception {
    org.osgi.service.cm.Configuration[] found = configurations.listConfigurations(null);
    return found == null ? List.of() : Arrays.stream(found).map(each -> each.getPid()).toList();
  }
}
