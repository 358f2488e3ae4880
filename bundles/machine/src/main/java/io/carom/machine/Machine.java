package io.carom.machine;

import io.carom.iommu.IommuRecords;
import io.carom.machine.platform.PlatformSettings;
import io.carom.memory.AddressMap;
import io.carom.memory.DeviceRegions;
import io.carom.memory.GuestMemory;
import io.carom.memory.SystemBus;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.SlotRecords;
import io.carom.virtio.DeviceRecords;
import java.util.ArrayList;
import java.util.List;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The machine as a component. It registers the parts of its {@link Board} as services by itself: a
 * changed configuration takes them all away and registers those of a new board, which is what a
 * reboot looks like to everybody else. A bad configuration is refused and the board stays.
 */
@Component(
    name = Machine.PID,
    immediate = true,
    service = {})
@Designate(ocd = Machine.Config.class)
@Capability(
    namespace = "osgi.service",
    effective = "active",
    attribute =
        "objectClass:List<String>=\"io.carom.memory.GuestMemory,io.carom.memory.SystemBus,"
            + "io.carom.memory.AddressMap,io.carom.memory.DeviceRegions,io.carom.pci.BusPorts,"
            + "io.carom.pci.MsiController,io.carom.pci.SlotRecords,io.carom.iommu.IommuRecords,"
            + "io.carom.virtio.DeviceRecords\"")
public final class Machine {
  static final String PID = "io.carom.machine";
  static final int DEFAULT_RAM_MIB = 128;
  static final int DEFAULT_QUIESCE_TIMEOUT_MS = 1000;
  static final int DEFAULT_IOMMU_ABSENT_MS = 5000;

  private static final Logger LOG = LoggerFactory.getLogger(Machine.class);

  /** Configuration of the machine; changing it reboots it. */
  @ObjectClassDefinition(name = "Carom machine", description = "RAM and platform of the guest")
  public @interface Config {
    /** MiB of RAM from address 0, 1..3072. */
    @AttributeDefinition(name = "Low RAM (MiB)", description = "RAM from address 0, 1..3072")
    int lowRamMiB() default DEFAULT_RAM_MIB;

    /** MiB of RAM from 4 GiB, 0 for none. */
    @AttributeDefinition(name = "High RAM (MiB)", description = "RAM from 4 GiB, 0 for none")
    int highRamMiB() default DEFAULT_RAM_MIB;

    /** Whether pages start private and a device access to a private page faults. */
    @AttributeDefinition(
        name = "Confidential",
        description = "Pages start private; a device access to a private page faults")
    boolean confidential() default false;

    /** What devices add to an address of RAM, decimal or 0x and hexadecimal, page aligned. */
    @AttributeDefinition(
        name = "Bus offset",
        description = "What devices add to an address of RAM, such as 0x40000000; page aligned")
    String busOffset() default "0";

    /** An offset for each bank in place of one for all RAM. */
    @AttributeDefinition(
        name = "Bus banks",
        description =
            "An offset for each bank of memory, cpuStart:dmaStart:size, in place of the bus offset;"
                + " devices do not reach what is in none")
    String[] busBanks() default {};

    /** The bit of addresses that says encrypted, 0 for none. */
    @AttributeDefinition(
        name = "Encryption bit",
        description =
            "The bit of addresses of encrypted memory, 40..51, 0 for none; a device that lacks it"
                + " sees ciphertext")
    int encryptionBit() default 0;

    /** Whether devices do not look into the caches of CPUs. */
    @AttributeDefinition(
        name = "Non-coherent",
        description = "Devices see what CPUs wrote only after a sync, and the other way round")
    boolean nonCoherent() default false;

    /** Whether another virtual mapping of a page has cache lines of its own. */
    @AttributeDefinition(
        name = "Virtually indexed",
        description = "Caches find lines by virtual address; needs nonCoherent")
    boolean virtuallyIndexed() default false;

    /** How likely a clean line of a device's buffer is filled at random, per mille. */
    @AttributeDefinition(
        name = "Speculative refills (per mille)",
        description = "How likely a clean line of a device's buffer is filled at random, 0..1000")
    int refillPerMille() default PlatformSettings.DEFAULT_REFILL_PER_MILLE;

    /** How likely a dirty line is written back at random, per mille. */
    @AttributeDefinition(
        name = "Evictions (per mille)",
        description = "How likely a dirty line is written back at random, 0..1000")
    int evictPerMille() default PlatformSettings.DEFAULT_EVICT_PER_MILLE;

    /** Lines that a write-combining queue holds, 0 for none. */
    @AttributeDefinition(
        name = "Write queue (lines)",
        description = "Lines of a queue of writes that only the platform drains, 0..4096, 0: none")
    int writeQueueLines() default 0;

    /** Seed of what the caches do at random. */
    @AttributeDefinition(name = "Platform seed", description = "Seed of refills and evictions")
    long platformSeed() default 1;

    /** How long a change of a route waits for device accesses that have begun. */
    @AttributeDefinition(
        name = "Quiesce timeout (ms)",
        description = "How long a change of a device's route waits for its accesses in flight")
    int quiesceTimeoutMs() default DEFAULT_QUIESCE_TIMEOUT_MS;

    /** How long accesses of translated devices wait for an IOMMU whose bundle is away. */
    @AttributeDefinition(
        name = "IOMMU absence (ms)",
        description =
            "How long accesses of translated devices wait for an IOMMU that is away, before they"
                + " are refused; 0..600000")
    int iommuAbsentMs() default DEFAULT_IOMMU_ABSENT_MS;
  }

  private final BundleContext context;
  private final List<ServiceRegistration<?>> services = new ArrayList<>();
  private MachineSettings settings;
  private Board board;

  /** Boots the machine. */
  @Activate
  public Machine(final BundleContext context, final Config config) {
    this.context = context;
    this.settings = MachineSettings.of(config);
    this.board = Board.of(settings);
    powerOn();
  }

  @Modified
  synchronized void modified(final Config config) {
    final MachineSettings wanted;
    try {
      wanted = MachineSettings.of(config);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}; the machine runs on as it is", e.getMessage());
      return;
    }
    if (!wanted.equals(settings)) {
      final Board next = Board.of(wanted); // first: without memory for it the old one stays
      powerOff();
      settings = wanted;
      board = next;
      powerOn();
    }
  }

  @Deactivate
  synchronized void powerOff() {
    services.reversed().forEach(ServiceRegistration::unregister);
    services.clear();
    board.ports().revokeAll();
  }

  private void powerOn() {
    LOG.info(
        "machine: {} MiB RAM below and {} MiB above 4 GiB{}; {}",
        settings.lowBytes() >> 20,
        settings.highBytes() >> 20,
        settings.confidential() ? ", pages private" : "",
        board.platform().text());
    register(DeviceRegions.class, board.regions());
    register(DeviceRecords.class, board.records());
    register(MsiController.class, board.interrupts());
    register(IommuRecords.class, board.iommu());
    register(SlotRecords.class, board.slots());
    register(BusPorts.class, board.ports());
    register(AddressMap.class, board.map());
    register(SystemBus.class, board.map());
    register(GuestMemory.class, board.ram());
  }

  private <S> void register(final Class<S> type, final S service) {
    services.add(context.registerService(type, service, null));
  }
}
