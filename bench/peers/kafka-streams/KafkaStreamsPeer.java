import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Kafka Streams at the workloads of bench/peers/workloads.ts: one thread, one partition, its own defaults but for the
 * commit interval, which is the same for every peer. Prints one line of JSON.
 */
public final class KafkaStreamsPeer {
  record Order(String orderId, String customerId, String status, double amount, String currency, int quantity) {}

  record PricedOrder(
      String orderId, String customerId, String status, double amount, String currency, int quantity, double total) {}

  record Revenue(long orders, double amount) {}

  record Customer(String name, String tier) {}

  record EnrichedOrder(String orderId, String customerId, double amount, String tier) {}

  private static final Serde<String> KEYS = Serdes.String();
  private static final Serde<Order> ORDERS = json(Order.class);

  public static void main(String[] args) throws Exception {
    final Map<String, String> options = optionsOf(args);
    final String applicationId = options.get("application-id");
    final String output = applicationId + "-output";
    final Progress progress = new Progress(Long.parseLong(options.get("records")));
    final Path stateFolder = Files.createTempDirectory("millrace-peer-");
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", (Object) options.get("brokers")))) {
      admin.createTopics(List.of(new NewTopic(output, 1, (short) 1))).all().get();
      final StreamsBuilder builder = new StreamsBuilder();
      describe(builder, options, output, progress);
      final KafkaStreams streams = new KafkaStreams(builder.build(), configuration(options, stateFolder));
      streams.setUncaughtExceptionHandler(
          error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return null;
          });
      streams.start();
      progress.done.await();
      // Closing commits what was processed: the work is done when its results are safe.
      streams.close(Duration.ofMinutes(1));
      final Progress.Measured measured = progress.measure();
      System.out.println(report(options, measured, endOffset(admin, output)));
      cleanUp(admin, applicationId);
    } finally {
      deleteFolder(stateFolder);
    }
  }

  private static void describe(
      StreamsBuilder builder, Map<String, String> options, String output, Progress progress) {
    switch (options.get("workload")) {
      case "W1" -> stateless(orders(builder, options, progress), output);
      case "W2" -> count(builder, options, output, progress);
      case "W3" -> aggregate(orders(builder, options, progress), output);
      case "W4" -> windowed(orders(builder, options, progress), output);
      case "W5" -> join(builder, options, output, progress);
      default -> throw new IllegalArgumentException("no workload " + options.get("workload"));
    }
  }

  private static KStream<String, Order> orders(
      StreamsBuilder builder, Map<String, String> options, Progress progress) {
    return builder
        .stream(options.get("input"), Consumed.with(KEYS, ORDERS))
        .peek((key, order) -> progress.one());
  }

  private static void stateless(KStream<String, Order> orders, String output) {
    orders
        .filter((key, order) -> order.amount() >= 100)
        .mapValues(KafkaStreamsPeer::price)
        .to(output, Produced.with(KEYS, json(PricedOrder.class)));
  }

  /** Nothing reads the values, so that they stay bytes. */
  private static void count(
      StreamsBuilder builder, Map<String, String> options, String output, Progress progress) {
    builder
        .stream(options.get("input"), Consumed.with(KEYS, Serdes.ByteArray()))
        .peek((key, bytes) -> progress.one())
        .groupByKey(Grouped.with(KEYS, Serdes.ByteArray()))
        .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("orders-by-customer"))
        .toStream()
        .to(output, Produced.with(KEYS, Serdes.Long()));
  }

  private static void aggregate(KStream<String, Order> orders, String output) {
    orders
        .groupByKey(Grouped.with(KEYS, ORDERS))
        .aggregate(
            () -> new Revenue(0, 0),
            KafkaStreamsPeer::add,
            Materialized.<String, Revenue, KeyValueStore<Bytes, byte[]>>as("revenue-by-customer")
                .withKeySerde(KEYS)
                .withValueSerde(json(Revenue.class)))
        .toStream()
        .to(output, Produced.with(KEYS, json(Revenue.class)));
  }

  private static void windowed(KStream<String, Order> orders, String output) {
    final Duration size = Duration.ofMinutes(1);
    orders
        .groupByKey(Grouped.with(KEYS, ORDERS))
        .windowedBy(TimeWindows.ofSizeAndGrace(size, Duration.ofSeconds(10)))
        .aggregate(
            () -> new Revenue(0, 0),
            KafkaStreamsPeer::add,
            Materialized.<String, Revenue, WindowStore<Bytes, byte[]>>as("revenue-by-minute")
                .withKeySerde(KEYS)
                .withValueSerde(json(Revenue.class)))
        .toStream()
        .to(
            output,
            Produced.with(
                WindowedSerdes.timeWindowedSerdeFrom(String.class, size.toMillis()), json(Revenue.class)));
  }

  private static void join(
      StreamsBuilder builder, Map<String, String> options, String output, Progress progress) {
    final KTable<String, Customer> customers =
        builder.table(
            options.get("table"),
            Consumed.with(KEYS, json(Customer.class)),
            Materialized.<String, Customer, KeyValueStore<Bytes, byte[]>>as("customers")
                .withKeySerde(KEYS)
                .withValueSerde(json(Customer.class)));
    orders(builder, options, progress)
        .join(customers, KafkaStreamsPeer::enrich, Joined.with(KEYS, ORDERS, json(Customer.class)))
        .to(output, Produced.with(KEYS, json(EnrichedOrder.class)));
  }

  private static PricedOrder price(Order order) {
    return new PricedOrder(
        order.orderId(),
        order.customerId(),
        order.status(),
        order.amount(),
        order.currency(),
        order.quantity(),
        order.amount() * order.quantity());
  }

  private static Revenue add(String customerId, Order order, Revenue revenue) {
    return new Revenue(revenue.orders() + 1, revenue.amount() + order.amount() * order.quantity());
  }

  private static EnrichedOrder enrich(Order order, Customer customer) {
    return new EnrichedOrder(order.orderId(), order.customerId(), order.amount(), customer.tier());
  }

  private static Properties configuration(Map<String, String> options, Path stateFolder) {
    final Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, options.get("application-id"));
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.get("brokers"));
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    properties.put(StreamsConfig.STATE_DIR_CONFIG, stateFolder.toString());
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.get("commit-interval-ms"));
    properties.put(
        StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
        options.get("guarantee").equals("exactly-once") ? StreamsConfig.EXACTLY_ONCE_V2 : StreamsConfig.AT_LEAST_ONCE);
    properties.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    if (options.get("tuned").equals("true")) {
      properties.put(StreamsConfig.producerPrefix("batch.size"), 512 * 1024);
      properties.put(StreamsConfig.producerPrefix("linger.ms"), 20);
      properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L * 1024 * 1024);
    }
    return properties;
  }

  /** Counts the records of the measured input, and notes time and CPU at the first and the end. */
  private static final class Progress {
    record Measured(double seconds, double cpuMicrosPerRecord, double cpuMicrosPerRecordWithStartUp) {}

    private static final OperatingSystemMXBean SYSTEM =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    final CountDownLatch done = new CountDownLatch(1);
    private final long records;
    private long seen;
    private long firstNanos;
    private long firstCpuNanos;

    Progress(long records) {
      this.records = records;
    }

    void one() {
      seen += 1;
      if (seen == 1) {
        firstNanos = System.nanoTime();
        firstCpuNanos = SYSTEM.getProcessCpuTime();
      }
      if (seen == records) done.countDown();
    }

    Measured measure() {
      final long cpuNanos = SYSTEM.getProcessCpuTime();
      return new Measured(
          (System.nanoTime() - firstNanos) / 1e9,
          (cpuNanos - firstCpuNanos) / 1e3 / records,
          cpuNanos / 1e3 / records);
    }
  }

  private static String report(Map<String, String> options, Progress.Measured measured, long outputEndOffset)
      throws IOException {
    final long records = Long.parseLong(options.get("records"));
    return String.format(
        Locale.ROOT,
        "{\"peer\":\"kafka-streams\",\"version\":\"%s\",\"workload\":\"%s\",\"guarantee\":\"%s\",\"tuned\":%s,"
            + "\"commitIntervalMs\":%s,\"records\":%d,\"outputEndOffset\":%d,\"seconds\":%.3f,\"recordsPerSecond\":%.0f,"
            + "\"cpuMicrosPerRecord\":%.3f,\"cpuMicrosPerRecordWithStartUp\":%.3f,\"peakRssMb\":%d}",
        AppInfoParser.getVersion(),
        options.get("workload"),
        options.get("guarantee"),
        options.get("tuned"),
        options.get("commit-interval-ms"),
        records,
        outputEndOffset,
        measured.seconds(),
        records / measured.seconds(),
        measured.cpuMicrosPerRecord(),
        measured.cpuMicrosPerRecordWithStartUp(),
        peakRssMb());
  }

  private static long peakRssMb() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
          .findFirst()
          .orElse(-1);
    }
  }

  private static long endOffset(Admin admin, String topic) throws Exception {
    final TopicPartition partition = new TopicPartition(topic, 0);
    return admin.listOffsets(Map.of(partition, OffsetSpec.latest())).partitionResult(partition).get().offset();
  }

  private static void cleanUp(Admin admin, String applicationId) throws Exception {
    final Set<String> own =
        admin.listTopics().names().get().stream()
            .filter(name -> name.startsWith(applicationId + "-"))
            .collect(Collectors.toSet());
    admin.deleteTopics(own).all().get();
  }

  private static void deleteFolder(Path folder) throws IOException {
    try (var paths = Files.walk(folder)) {
      for (final Path path : paths.sorted((a, b) -> b.compareTo(a)).toList()) Files.delete(path);
    }
  }

  private static Map<String, String> optionsOf(String[] args) {
    final Map<String, String> options = new HashMap<>();
    for (int index = 0; index + 1 < args.length; index += 2) {
      options.put(args[index].replaceFirst("^--", ""), args[index + 1]);
    }
    return options;
  }

  private static <T> Serde<T> json(Class<T> type) {
    final ObjectMapper mapper = new ObjectMapper();
    final ObjectReader reader = mapper.readerFor(type);
    final ObjectWriter writer = mapper.writerFor(type);
    return Serdes.serdeFrom(
        (topic, value) -> {
          try {
            return value == null ? null : writer.writeValueAsBytes(value);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        },
        (topic, bytes) -> {
          try {
            return bytes == null ? null : reader.<T>readValue(bytes);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        });
  }
}
