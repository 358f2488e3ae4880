package io.carom.benchmarks.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.benchmarks.child.Message;
import io.carom.benchmarks.plan.Task;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChildJvmTest {
  private final List<Message> said = new ArrayList<>();

  @Test
  void aChildAnswersAndEnds() throws ChildFailure, InterruptedException {
    ChildJvm.swiotlb(System.getProperty("java.class.path")).run(Task.catalog(), said::add);
    assertThat(said).hasSize(1);
    final Message.Catalog catalog = said.getFirst().catalog();
    assertThat(catalog).isNotNull();
    assertThat(catalog.strategies()).contains("swiotlb-fixed");
    assertThat(catalog.lookups()).contains("direct");
  }

  @Test
  void aChildThatIsNotThereIsToldInOneLine() {
    assertThatThrownBy(() -> ChildJvm.swiotlb("nothing").run(Task.catalog(), said::add))
        .isInstanceOf(ChildFailure.class)
        .message()
        .contains("its JVM ")
        .doesNotContain("\n");
  }
}
