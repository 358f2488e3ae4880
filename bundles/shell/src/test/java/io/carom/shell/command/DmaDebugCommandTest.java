package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.shell.fake.FakeWorld;
import io.carom.shell.service.Disks;
import io.carom.shell.text.ResultConverter;
import io.carom.virtio.SwiotlbPolicy;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DmaDebugCommandTest {
  private final FakeWorld world = new FakeWorld();

  @BeforeEach
  void plug() {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
  }

  @ParameterizedTest
  @CsvSource({
    "on,all on",
    "off,all off",
    "vda on,0000:00:04.0 on",
    "00:04.0 off,0000:00:04.0 off",
    "--filter virtio-pci,filter virtio-pci",
    "--all-errors on,all_errors true",
    "--all-errors=off,all_errors false",
    "--num-errors 7,num_errors 7"
  })
  void changes(final String arguments, final String call) throws InterruptedException {
    run(arguments.split(" "));
    assertThat(world.dmaDebug.calls).containsExactly(call);
  }

  @Test
  void aloneItChangesNothing() throws InterruptedException {
    run();
    run("vda");
    run("--dump");
    run("--errors");
    assertThat(world.dmaDebug.calls).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "vda maybe,dma:debug: Invalid value for positional parameter",
    "--num-errors=-1,'dma:debug: --num-errors must not be negative, but is -1'",
    "--all-errors 2,dma:debug: Invalid value for option '--all-errors': '2' is none of",
    "--dump --errors,dma:debug: --dump contradicts --errors; leave one out"
  })
  void tellsMistakes(final String arguments, final String message) {
    assertThatThrownBy(() -> run(arguments.split(" ")))
        .isInstanceOf(UsageException.class)
        .message()
        .startsWith(message)
        .doesNotContain("\n");
    assertThat(world.dmaDebug.calls).isEmpty();
  }

  @Test
  void showsTheStateUnderTheKernelsNames() throws InterruptedException {
    assertThat(text(run()))
        .isEqualTo(
            """
            disabled:          N
            error_count:       1
            all_errors:        0
            num_errors:        0
            num_free_entries:  65535
            min_free_entries:  65530
            nr_total_entries:  65536
            driver_filter:     -

            DEVICE        DRIVER      ON   WATCHED  ENTRIES  ERRORS
            0000:00:04.0  virtio-pci  yes  yes            1       1
            0000:00:05.0  virtio-pci  no   no             0       0

            last: DMA-API: virtio-pci 0000:00:04.0: device driver tries to free an invalid DMA \
            memory address\
            """);
    assertThat(text(run("vda"))).doesNotContain("0000:00:05.0");
  }

  @Test
  void showsDumpAndErrors() throws InterruptedException {
    assertThat(text(run("--dump"))).startsWith("virtio-pci 0000:00:04.0 single idx 1 P=0x");
    assertThat(text(run("--errors")))
        .endsWith("address\nMapped at:\n a.B.c(B.java:1)\n a.B.d(B.java:2)");
  }

  @Test
  void speaksJson() throws InterruptedException {
    assertThat(run("--json").toString())
        .startsWith("{\"disabled\":false,\"error_count\":1,\"all_errors\":0,")
        .contains("\"devices\":[{\"device\":\"0000:00:04.0\"", "\"errors\":[{\"count\":1,");
    assertThat(run("--dump", "--json").toString()).startsWith("{\"mappings\":[{\"driver\":");
    assertThat(run("--errors", "--json").toString())
        .startsWith("{\"errors\":[{\"count\":1,")
        .contains("\"violation\":\"FREE_INVALID_ADDRESS\",\"number\":1,");
  }

  private Object run(final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find("dma:debug")), world)
        .execute(arguments, line -> {});
  }

  private static String text(final Object result) {
    final ResultConverter converter = new ResultConverter();
    return Objects.requireNonNull(converter.format(result, Converter.INSPECT, converter))
        .toString();
  }
}
