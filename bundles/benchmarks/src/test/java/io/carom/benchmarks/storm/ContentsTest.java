package io.carom.benchmarks.storm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class ContentsTest {
  private final Contents contents = new Contents(1);
  private final MemorySegment place = MemorySegment.ofArray(new byte[3 * Contents.SIZE]);

  @Test
  void findsASingleWrongByteAnywhere() {
    final long start = Contents.start(-1L);
    contents.write(start, place, Contents.SIZE);
    assertThat(contents.stands(start, place, Contents.SIZE)).isTrue();
    for (final int at : new int[] {0, 1, Contents.SIZE / 2, Contents.SIZE - 1}) {
      final long offset = (long) Contents.SIZE + at;
      final byte right = place.get(ValueLayout.JAVA_BYTE, offset);
      place.set(ValueLayout.JAVA_BYTE, offset, (byte) ~right);
      assertThat(contents.stands(start, place, Contents.SIZE)).isFalse();
      place.set(ValueLayout.JAVA_BYTE, offset, right);
    }
    assertThat(contents.stands(start, place, Contents.SIZE)).isTrue();
  }

  @Test
  void tellsContentsApart() {
    contents.write(Contents.start(1L << 50), place, 0);
    assertThat(contents.stands(Contents.start(1L << 51), place, 0)).isFalse();
    assertThat(contents.stands(Contents.start(1L << 50), place, 0)).isTrue();
  }
}
