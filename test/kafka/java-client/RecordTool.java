import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Records as lines of text, written and read by Kafka's own client for Java: what else speaks the protocol is held
 * against it.
 *
 * <p>{@code write BROKERS} takes {@code topic codec timestamp key value headers} on standard input; the records of a
 * topic go out in one batch. {@code read BROKERS TOPIC...} prints {@code topic offset timestampType timestamp key value
 * headers} of all that a topic holds. Bytes are in base64, with {@code -} for null; headers are {@code name:value} with
 * commas between, each in base64. Tabs separate.
 */
public final class RecordTool {
  private static final int LARGEST_BYTES = 8_388_608;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  public static void main(String[] args) throws Exception {
    if (args[0].equals("write")) write(args[1]);
    else read(args[1], List.of(args).subList(2, args.length));
  }

  private static void write(String brokers) throws Exception {
    final Map<String, List<String[]>> byCodec = new LinkedHashMap<>();
    final BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      final String[] columns = line.split("\t", -1);
      byCodec.computeIfAbsent(columns[1], codec -> new ArrayList<>()).add(columns);
    }
    for (final Map.Entry<String, List<String[]>> entry : byCodec.entrySet())
      writeWith(brokers, entry.getKey(), entry.getValue());
  }

  private static void writeWith(String brokers, String codec, List<String[]> lines) throws Exception {
    final Map<String, Object> settings =
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
            ProducerConfig.COMPRESSION_TYPE_CONFIG, codec,
            ProducerConfig.LINGER_MS_CONFIG, 60_000,
            ProducerConfig.BATCH_SIZE_CONFIG, LARGEST_BYTES,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG, LARGEST_BYTES);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      final List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (final String[] columns : lines)
        sent.add(
            producer.send(
                new ProducerRecord<>(
                    columns[0],
                    0,
                    Long.valueOf(columns[2]),
                    decoded(columns[3]),
                    decoded(columns[4]),
                    headers(columns[5]))));
      producer.flush();
      for (final Future<RecordMetadata> each : sent) each.get();
    }
  }

  private static void read(String brokers, List<String> topics) {
    final Map<String, Object> settings =
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
            ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
            ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, LARGEST_BYTES);
    final PrintStream output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      final List<TopicPartition> places = new ArrayList<>();
      for (final String topic : topics)
        for (final PartitionInfo each : consumer.partitionsFor(topic))
          places.add(new TopicPartition(topic, each.partition()));
      consumer.assign(places);
      consumer.seekToBeginning(places);
      final Map<TopicPartition, Long> ends = consumer.endOffsets(places);
      final long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (places.stream().anyMatch(place -> consumer.position(place) < ends.get(place))) {
        if (System.nanoTime() > deadline) throw new IllegalStateException("not all of it came: " + ends);
        for (final ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200)))
          output.println(line(record));
      }
    }
    output.flush();
  }

  private static String line(ConsumerRecord<byte[], byte[]> record) {
    final List<String> headers = new ArrayList<>();
    for (final Header each : record.headers())
      headers.add(encoded(each.key().getBytes(StandardCharsets.UTF_8)) + ":" + encoded(each.value()));
    return String.join(
        "\t",
        record.topic(),
        String.valueOf(record.offset()),
        record.timestampType().toString(),
        String.valueOf(record.timestamp()),
        encoded(record.key()),
        encoded(record.value()),
        headers.stream().collect(Collectors.joining(",")));
  }

  private static List<Header> headers(String text) {
    final List<Header> headers = new ArrayList<>();
    if (text.isEmpty()) return headers;
    for (final String each : text.split(",")) {
      final String[] parts = each.split(":", -1);
      headers.add(new RecordHeader(new String(decoded(parts[0]), StandardCharsets.UTF_8), decoded(parts[1])));
    }
    return headers;
  }

  private static byte[] decoded(String text) {
    return text.equals("-") ? null : Base64.getDecoder().decode(text);
  }

  private static String encoded(byte[] bytes) {
    return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes);
  }
}
