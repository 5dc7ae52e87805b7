import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;

/**
 * A live member of a group under a protocol that Millrace does not speak. {@code BROKERS PROTOCOL GROUP TOPIC}, where the
 * protocol is {@code consumer} (KIP-848) or {@code streams} (KIP-1071), prints {@code joined} and stays until it is killed.
 */
public final class GroupMember {
  public static void main(String[] args) throws Exception {
    final Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("group.protocol", args[1]);
    if (args[1].equals("streams")) stream(settings, args[2], args[3]);
    else consume(settings, args[2], args[3]);
  }

  private static void consume(Properties settings, String group, String topic) {
    settings.put("group.id", group);
    settings.put("enable.auto.commit", "false");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      while (consumer.assignment().isEmpty()) consumer.poll(Duration.ofMillis(100));
      System.out.println("joined");
      while (true) consumer.poll(Duration.ofMillis(100));
    }
  }

  private static void stream(Properties settings, String group, String topic) throws Exception {
    settings.put("application.id", group);
    final StreamsBuilder builder = new StreamsBuilder();
    builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String())).foreach((key, value) -> {});
    final CountDownLatch running = new CountDownLatch(1);
    final KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    streams.setStateListener(
        (state, previous) -> {
          if (state == KafkaStreams.State.RUNNING) running.countDown();
        });
    streams.start();
    running.await();
    System.out.println("joined");
    Thread.currentThread().join();
  }
}
