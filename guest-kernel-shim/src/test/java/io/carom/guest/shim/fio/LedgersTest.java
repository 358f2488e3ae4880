package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.BlockDevice;
import io.carom.guest.shim.fake.AllocatingMemory;
import java.util.List;
import org.junit.jupiter.api.Test;

class LedgersTest {
  private final AllocatingMemory memory = new AllocatingMemory(4096);
  private final Ledgers ledgers = new Ledgers(() -> 1);

  private DiskLedger open(final FakeDisk disk, final FakeDisk... present) {
    return ledgers.of(disk, List.<BlockDevice>of(present));
  }

  private FakeDisk disk(final String name, final String serial, final long bytes) {
    final FakeDisk disk = new FakeDisk(name, bytes, memory, 0);
    disk.serial = serial;
    return disk;
  }

  @Test
  void aDiskKeepsItsLedger() {
    final FakeDisk disk = disk("vda", "s", 4096);
    final DiskLedger ledger = open(disk, disk);

    assertThat(open(disk("vda", "s", 4096), disk)).isSameAs(ledger);
    assertThat(open(disk("vda", "t", 4096), disk)).isNotSameAs(ledger);
    assertThat(open(disk("vda", "s", 8192), disk)).isNotSameAs(ledger);
  }

  @Test
  void twoDisksWithOneSerialHaveTheirOwn() {
    final FakeDisk a = disk("vda", "s", 4096);
    final FakeDisk b = disk("vdb", "s", 4096);
    final DiskLedger first = open(a, a, b);

    assertThat(open(b, a, b)).isNotSameAs(first);
    assertThat(open(a, a, b)).isSameAs(first);
  }

  @Test
  void aDiskThatWasElsewhereMeanwhileIsNew() {
    final FakeDisk a = disk("vda", "s", 4096);
    final FakeDisk b = disk("vdb", "s", 4096);
    final DiskLedger first = open(a, a);
    open(b, b);

    assertThat(open(a, a)).isNotSameAs(first);
  }

  @Test
  void whatIsPluggedAnewIsNewAndWhatIsBoundAnewIsNot() {
    final FakeDisk before = disk("vda", "s", 4096);
    final DiskLedger first = open(before, before);
    final FakeDisk bound = disk("vda", "s", 4096);
    assertThat(open(bound, bound)).isSameAs(first);

    final FakeDisk plugged = disk("vda", "s", 4096);
    plugged.plugging = before.plugging() + 1;
    final DiskLedger second = open(plugged, plugged);
    assertThat(second).isNotSameAs(first);
    assertThat(open(plugged, plugged)).isSameAs(second);
  }
}
