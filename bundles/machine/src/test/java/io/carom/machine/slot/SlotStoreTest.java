package io.carom.machine.slot;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.pci.BarSpec;
import io.carom.pci.CapabilityAccess;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.HotplugState;
import io.carom.pci.PciAddress;
import io.carom.pci.PciFunctionSpec;
import io.carom.pci.SlotKeeper;
import io.carom.pci.SlotRecord;
import io.carom.pci.SlotRecord.Doorbell;
import io.carom.pci.SlotSignals;
import java.util.List;
import org.junit.jupiter.api.Test;

class SlotStoreTest {
  private static final class Code implements CapabilityAccess {
    @Override
    public void reading(final byte[] body, final int offset, final int width) {}

    @Override
    public void written(final byte[] body, final int offset, final int width) {}
  }

  private static final PciFunctionSpec SPEC =
      new PciFunctionSpec(
          1,
          2,
          0,
          0,
          1,
          2,
          0,
          List.of(BarSpec.registers(4, 4096, true, true).withDoorbells(16, 8)),
          List.of(new CapabilitySpec(new byte[4], new byte[4], new Code())),
          null);

  private final SlotStore store = new SlotStore();

  private static SlotRecord record(final int slot, final int command) {
    final byte[] config = new byte[256];
    config[4] = (byte) command;
    return new SlotRecord(
        new PciAddress(0, slot, 0),
        "f" + slot,
        "label",
        SPEC.withoutCode(),
        null,
        config,
        SlotSignals.of(3),
        List.of(),
        false);
  }

  @Test
  void keepsTheLastOfEachSlot() {
    final SlotKeeper keeper = store.claim();
    assertThat(keeper.slots()).isEmpty();
    assertThat(keeper.hotplug()).isEqualTo(HotplugState.NONE);
    keeper.keep(record(5, 1));
    keeper.keep(record(4, 2));
    keeper.keep(record(5, 3));
    keeper.keep(record(6, 4));
    keeper.forget(new PciAddress(0, 6, 0));
    keeper.forget(new PciAddress(0, 7, 0));
    keeper.keep(new HotplugState(1, 2, 3, 4, 5, 6));
    final SlotKeeper next = store.claim();
    assertThat(next.slots()).extracting(SlotRecord::name).containsExactly("f4", "f5");
    assertThat(next.slots()).extracting(s -> s.config()[4]).containsExactly((byte) 2, (byte) 3);
    assertThat(next.hotplug()).isEqualTo(new HotplugState(1, 2, 3, 4, 5, 6));
  }

  @Test
  void whoWasBeforeChangesNothing() {
    final SlotKeeper old = store.claim();
    old.keep(record(4, 1));
    final SlotKeeper next = store.claim();
    old.keep(record(4, 2));
    old.keep(record(5, 2));
    old.forget(new PciAddress(0, 4, 0));
    old.keep(new HotplugState(1, 0, 0, 0, 0, 0));
    assertThat(next.slots()).extracting(s -> s.config()[4]).containsExactly((byte) 1);
    assertThat(next.hotplug()).isEqualTo(HotplugState.NONE);
  }

  @Test
  void aRecordCannotBeChangedAndHoldsNoCode() {
    final SlotRecord record = record(4, 1);
    record.config()[4] = 9;
    assertThat(record.config()[4]).isEqualTo((byte) 1);
    assertThat(record.spec().capabilities())
        .allSatisfy(c -> assertThat(c.access()).isSameAs(CapabilityAccess.NONE));
    assertThat(record.spec().bars()).isEqualTo(SPEC.bars());
    final Doorbell bell = new Doorbell(4, 16, 2, 7);
    final SlotRecord left = record.left(List.of(bell), true);
    assertThat(left.doorbells()).containsExactly(bell);
    assertThat(left.overran()).isTrue();
    assertThat(left.signals()).as("live").isSameAs(record.signals());
    assertThat(record.signals().table().length()).isEqualTo(12);
    assertThat(record.signals().pending().length()).isEqualTo(1);
  }
}
