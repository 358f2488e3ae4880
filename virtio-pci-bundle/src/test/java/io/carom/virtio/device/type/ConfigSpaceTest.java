package io.carom.virtio.device.type;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ConfigSpaceTest {
  private final ConfigSpace config = new ConfigSpace(12);

  @Test
  void v1GenerationDiffersAfterAChangeWasRead() {
    config.putLong(0, 0x1_0000_0001L);
    config.read(0, 4);
    final int before = config.generation();
    assertThat(config.read(4, 4)).isEqualTo(1);
    assertThat(config.generation()).as("nothing has changed").isEqualTo(before);
    config.putLong(0, 0x2_0000_0002L);
    assertThat(config.read(4, 4)).isEqualTo(2);
    assertThat(config.generation()).isNotEqualTo(before);
  }

  @Test
  void generationDiffersAfter256ChangesTooBecauseOnlyReadsCount() {
    config.read(0, 4);
    final int before = config.generation();
    for (int i = 0; i < 256; i++) {
      config.putInt(0, i);
    }
    config.read(0, 4);
    assertThat(config.generation()).isNotEqualTo(before);
  }

  @Test
  void readsOfPartsAndBehindTheEnd() {
    config.putLong(0, 0x0807060504030201L);
    config.putInt(8, 0x0c0b0a09);
    assertThat(config.read(3, 1)).isEqualTo(4);
    assertThat(config.read(2, 2)).isEqualTo(0x0403);
    assertThat(config.read(8, 4)).isEqualTo(0x0c0b0a09L);
    assertThat(config.read(12, 4)).isZero();
  }
}
