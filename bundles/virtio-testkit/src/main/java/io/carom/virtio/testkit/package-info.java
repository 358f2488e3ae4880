/**
 * The driver's side of a virtio device, for tests: rings built by hand, well-formed or not, against
 * any {@link io.carom.pci.PciFunction}. It needs no OSGi framework, no bus and no guest.
 *
 * <ul>
 *   <li>{@link io.carom.virtio.testkit.TestBus} is what the function is plugged into: RAM, a region
 *       of its own, interrupts. It refuses everything else, and counts.
 *   <li>{@link io.carom.virtio.testkit.TestMemory} is the guest's memory, as its driver sees it.
 *   <li>{@link io.carom.virtio.testkit.TestDriver} reads and writes registers, finds the structures
 *       by their capabilities, negotiates, and rings doorbells, in any order and with any value.
 *   <li>{@link io.carom.virtio.testkit.SplitRing} and {@link io.carom.virtio.testkit.PackedRing}
 *       write any field of a ring; as {@link io.carom.virtio.testkit.TestRing} they keep the rules,
 *       so that one test can run on both layouts.
 *   <li>{@link io.carom.virtio.testkit.ConfigWindow} is the PCI_CFG window.
 *   <li>{@link io.carom.virtio.testkit.BusWatch} sees each access of the device, and may change
 *       memory under its hands.
 * </ul>
 *
 * <p>A read of a disk's first sector, and then a head that does not exist:
 *
 * <pre>{@code
 * TestBus bus = new TestBus(0);
 * TestDriver driver = new TestDriver(function, bus);
 * SplitRing ring = new SplitRing(bus.memory(), 64, 0x10000);
 * driver.start(VirtioFeatures.ACCESS_PLATFORM, ring);
 *
 * bus.memory().put32(0x20000, BlkDescriptor.T_IN);
 * int id =
 *     ring.add(
 *         Element.readable(0x20000, BlkDescriptor.REQUEST_HEADER),
 *         Element.writable(0x21000, BlkDescriptor.SECTOR),
 *         Element.writable(0x22000, 1));
 * driver.kick(0);
 * driver.await(Duration.ofMinutes(5), () -> ring.usedIndex() == 1);
 * Used used = ring.take();
 *
 * ring.offer(64);
 * driver.kick(0);
 * driver.await(Duration.ofMinutes(5), driver::needsReset);
 * }</pre>
 *
 * <p>{@code used} is then {@code new Used(id, 513)}, the sector is at 0x21000, and the device says
 * that it needs a reset. A device without threads is let work by {@link
 * io.carom.virtio.testkit.TestDriver#work}, with what was given to the driver's constructor.
 *
 * <p>Not a simulator of a guest: memory barriers are stronger than a driver's need to be, and an
 * access of the driver never faults.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.carom.virtio.testkit;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
