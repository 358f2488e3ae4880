package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.PoolInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Strategies that keep a pool for each device, in RAM too. */
class PerDevicePoolTest {
  private final CoreKit kit = new CoreKit();
  private final SlotStrategy own = new SlotStrategy(512 << 10, 1);

  @AfterEach
  void close() {
    kit.close();
  }

  @Test
  void eachDeviceHasAPoolThatGoesWithIt() {
    own.perDevice = true;
    kit.add("own", own, 1);
    final DmaDevice a = kit.device("a");
    final DmaDevice b = kit.device("b");
    kit.use(a, "own");
    kit.use(b, "own");
    assertThat(kit.core.pools())
        .extracting(PoolInfo::pool, PoolInfo::device, PoolInfo::io_tlb_nslabs)
        .containsExactlyInAnyOrder(tuple("own@a", "a", 256L), tuple("own@b", "b", 256L));
    assertThat(own.instances).extracting(i -> i.spec.device()).containsExactly("a", "b");
    final long buffer = kit.guest.buffer(4096, 1);
    final long first = a.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    final long second = b.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(kit.core.occupancy("own@a").runs()).hasSize(1);
    assertThat(kit.core.occupancy("own@b").runs().getFirst().owner()).isEqualTo("b");
    final long pages = kit.guest.usedPages();
    a.unmap(first, 4096, DmaDirection.TO_DEVICE, 0);
    a.close();
    CoreKit.await(() -> kit.core.pools().size() == 1, "the pool of a is gone");
    assertThat(own.instances.getFirst().closed.get()).isEqualTo(1);
    assertThat(kit.guest.usedPages()).isEqualTo(pages - 128);
    b.unmap(second, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(own.instances.getLast().closed.get()).isZero();
  }

  @Test
  void aPoolOfADeviceThatIsGoneIsNotHandedToItsSuccessor() {
    own.perDevice = true;
    kit.add("own", own, 1);
    final DmaDevice old = kit.device("a");
    kit.use(old, "own");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = old.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    old.close();
    final DmaDevice next = kit.device("a");
    kit.use(next, "own");
    assertThat(own.instances).hasSize(2);
    old.unmap(bus, 4096, DmaDirection.FROM_DEVICE, 0);
    CoreKit.await(() -> own.instances.getFirst().closed.get() == 1, "the old pool is closed");
  }
}
