package io.carom.itests;

import io.carom.dma.Dma;
import io.carom.dma.DmaControl;
import io.carom.guest.Fio;
import io.carom.guest.GuestKernel;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.pci.PciBus;
import io.carom.virtio.VirtioHost;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.After;
import org.junit.Before;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.ops4j.pax.exam.util.Filter;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * A test inside a container with the bundles of the distribution, one container for each class: it
 * has their services, and a kit over their commands. A test leaves the container as it found it.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public abstract class ContainerTest {
  /** The bundle of the swiotlb strategies. */
  static final String SWIOTLB = "io.carom.swiotlb";

  /** The configuration of the IOMMU. */
  static final String IOMMU = "io.carom.iommu";

  @Inject BundleContext context;
  @Inject ConfigurationAdmin configurations;
  @Inject CommandProcessor processor;
  @Inject VirtioHost host;
  @Inject GuestKernel guest;
  @Inject Dma dma;
  @Inject DmaControl control;
  @Inject Fio fio;
  @Inject PciBus bus;
  @Inject PageAllocator pages;
  @Inject GuestMemory memory;

  // The commands are the last to come: whoever waits for them has everything.
  @Inject
  @Filter("(&(osgi.command.scope=carom)(osgi.command.function=fio))")
  org.apache.felix.service.command.Function commands;

  GuestKit kit;

  /** Provisions the distribution. */
  @Configuration
  public Option[] distribution() throws Exception {
    return Dist.options();
  }

  /** Before each test. */
  @Before
  public void openKit() {
    kit = new GuestKit(new Gogo(processor));
  }

  /** After each test. */
  @After
  public void closeKit() throws Exception {
    kit.close();
  }

  /** A bundle by its symbolic name. */
  Bundle bundle(final String symbolicName) {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> symbolicName.equals(bundle.getSymbolicName()))
        .findFirst()
        .orElseThrow();
  }

  /** A service that is there now; others may come and go while a test runs. */
  <T> Optional<T> service(final Class<T> type) {
    return Optional.ofNullable(context.getServiceReference(type)).map(context::getService);
  }

  /** Configures a component; it follows on the thread of ConfigurationAdmin. */
  void configure(final String pid, final Map<String, Object> properties) throws Exception {
    configurations.getConfiguration(pid, "?").update(FrameworkUtil.asDictionary(properties));
  }

  /** Gives a component its defaults back. */
  void unconfigure(final String pid) throws Exception {
    configurations.getConfiguration(pid, "?").delete();
  }
}
