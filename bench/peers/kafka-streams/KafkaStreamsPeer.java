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
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
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
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Kafka Streams at the workloads of bench/peers/workloads.ts: one thread, one partition, its own defaults but for the
 * commit interval, which is the same for every peer. Prints one line of JSON.
 */
public final class KafkaStreamsPeer {
  record Order(String orderId, String customerId, String status, double amount, String currency, int quantity) {}

  record PricedOrder(
      String orderId, String customerId, String status, double amount, String currency, int quantity, double total) {}

  record Customer(String name, String tier) {}

  record EnrichedOrder(String orderId, String customerId, double amount, String tier) {}

  record Payment(String paymentId, String orderId, double amount) {}

  record PaidOrder(String orderId, String customerId, double amount, String paymentId) {}

  private static final Serde<String> KEYS = Serdes.String();
  private static final Serde<Order> ORDERS = json(Order.class);

  private static final long SETTLE_SECONDS = 5;
  private static final long QUIET_SECONDS = 10;

  public static void main(String[] args) throws Exception {
    final Map<String, String> options = optionsOf(args);
    if (options.get("workload").equals("W6")) {
      restart(options);
      return;
    }
    final boolean quiet = isQuiet(options);
    final Progress progress = new Progress(quiet ? 1 : recordsOf(options));
    final Path stateFolder = Files.createTempDirectory("millrace-peer-");
    try {
      final KafkaStreams streams = streamsOf(options, stateFolder, progress);
      streams.start();
      progress.done.await();
      if (quiet) {
        System.out.println(report(options, new Progress.Measured(QUIET_SECONDS, 0, 0, 0), percentOfCore()));
        streams.close(Duration.ofMinutes(1));
        return;
      }
      // Closing commits what was processed: the work is done when its results are safe.
      streams.close(Duration.ofMinutes(1));
      System.out.println(report(options, progress.measure(), progress.halves()));
    } finally {
      deleteFolder(stateFolder);
    }
  }

  private static boolean isQuiet(Map<String, String> options) {
    return options.get("workload").equals("W8") || options.get("workload").equals("W9");
  }

  /** What this process takes of one core, once it has settled. */
  private static String percentOfCore() throws InterruptedException {
    Thread.sleep(SETTLE_SECONDS * 1000);
    final long startNanos = System.nanoTime();
    final long cpuNanos = Progress.SYSTEM.getProcessCpuTime();
    Thread.sleep(QUIET_SECONDS * 1000);
    final double share =
        (double) (Progress.SYSTEM.getProcessCpuTime() - cpuNanos) / (System.nanoTime() - startNanos);
    return String.format(Locale.ROOT, ",\"percentOfCore\":%.3f", share * 100);
  }

  /** Starts, stops cleanly, and starts anew without state: how long the store and the first record take. */
  private static void restart(Map<String, String> options) throws Exception {
    runToFirstRecord(options, new Restored());
    final Restored restored = new Restored();
    final long startNanos = System.nanoTime();
    final Progress progress = runToFirstRecord(options, restored);
    final double restartSeconds = (progress.firstNanos - startNanos) / 1e9;
    final long restoredRecords = restored.records.get();
    final double cpuMicros = Progress.SYSTEM.getProcessCpuTime() / 1e3 / restoredRecords;
    System.out.println(
        report(
            options,
            new Progress.Measured(restored.seconds(), restoredRecords / restored.seconds(), cpuMicros, cpuMicros),
            String.format(
                Locale.ROOT, ",\"restoreSeconds\":%.3f,\"restartSeconds\":%.3f", restored.seconds(), restartSeconds)));
  }

  private static Progress runToFirstRecord(Map<String, String> options, Restored restored) throws Exception {
    final Progress progress = new Progress(1);
    final Path stateFolder = Files.createTempDirectory("millrace-peer-");
    try {
      final KafkaStreams streams = streamsOf(options, stateFolder, progress);
      streams.setGlobalStateRestoreListener(restored);
      streams.start();
      progress.done.await();
      streams.close(Duration.ofMinutes(1));
    } finally {
      deleteFolder(stateFolder);
    }
    return progress;
  }

  private static KafkaStreams streamsOf(Map<String, String> options, Path stateFolder, Progress progress) {
    final StreamsBuilder builder = new StreamsBuilder();
    describe(builder, options, progress);
    final KafkaStreams streams = new KafkaStreams(builder.build(), configuration(options, stateFolder));
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return null;
        });
    return streams;
  }

  private static long recordsOf(Map<String, String> options) {
    final long orders = Long.parseLong(options.get("records"));
    return options.get("workload").equals("W5") ? orders + orders / 2 : orders;
  }

  private static void describe(StreamsBuilder builder, Map<String, String> options, Progress progress) {
    switch (options.get("workload")) {
      case "W1", "W2", "W7", "W8", "W9" -> stateless(builder, options, progress);
      case "W3", "W6" -> count(builder, options, progress);
      case "W4" -> joinGlobalTable(builder, options, progress);
      case "W5" -> joinStreams(builder, options, progress);
      default -> throw new IllegalArgumentException("no workload " + options.get("workload"));
    }
  }

  private static KStream<String, Order> orders(
      StreamsBuilder builder, Map<String, String> options, Progress progress) {
    return builder
        .stream(options.get("orders"), Consumed.with(KEYS, ORDERS))
        .peek((key, order) -> progress.one());
  }

  private static void stateless(StreamsBuilder builder, Map<String, String> options, Progress progress) {
    final double keptFrom = Double.parseDouble(options.get("kept-from"));
    orders(builder, options, progress)
        .filter((key, order) -> order.amount() >= keptFrom)
        .mapValues(KafkaStreamsPeer::price)
        .to(options.get("output"), Produced.with(KEYS, json(PricedOrder.class)));
  }

  /** Nothing reads the values, so that they stay bytes. */
  private static void count(StreamsBuilder builder, Map<String, String> options, Progress progress) {
    builder
        .stream(options.get("orders"), Consumed.with(KEYS, Serdes.ByteArray()))
        .peek((key, bytes) -> progress.one())
        .groupByKey(Grouped.with(KEYS, Serdes.ByteArray()))
        .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as(options.get("store")))
        .toStream()
        .to(options.get("output"), Produced.with(KEYS, Serdes.Long()));
  }

  private static void joinGlobalTable(StreamsBuilder builder, Map<String, String> options, Progress progress) {
    final GlobalKTable<String, Customer> customers =
        builder.globalTable(
            options.get("customers"),
            Consumed.with(KEYS, json(Customer.class)),
            Materialized.<String, Customer, KeyValueStore<Bytes, byte[]>>as("customers")
                .withKeySerde(KEYS)
                .withValueSerde(json(Customer.class)));
    orders(builder, options, progress)
        .join(customers, (key, order) -> order.customerId(), KafkaStreamsPeer::enrich)
        .to(options.get("output"), Produced.with(KEYS, json(EnrichedOrder.class)));
  }

  private static void joinStreams(StreamsBuilder builder, Map<String, String> options, Progress progress) {
    final Serde<Payment> payments = json(Payment.class);
    final KStream<String, Payment> paid =
        builder
            .stream(options.get("payments"), Consumed.with(KEYS, payments))
            .peek((key, payment) -> progress.one());
    final Duration difference = Duration.ofMillis(Long.parseLong(options.get("join-within-ms")));
    orders(builder, options, progress)
        .join(
            paid,
            KafkaStreamsPeer::pay,
            JoinWindows.ofTimeDifferenceWithNoGrace(difference),
            StreamJoined.with(KEYS, ORDERS, payments))
        .to(options.get("output"), Produced.with(KEYS, json(PaidOrder.class)));
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

  private static EnrichedOrder enrich(Order order, Customer customer) {
    return new EnrichedOrder(order.orderId(), order.customerId(), order.amount(), customer.tier());
  }

  private static PaidOrder pay(Order order, Payment payment) {
    return new PaidOrder(order.orderId(), order.customerId(), order.amount(), payment.paymentId());
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

  /** Counts the records of the measured inputs, and notes time and CPU at the first record, at half of them and at the end. */
  private static final class Progress {
    record Measured(
        double seconds, double recordsPerSecond, double cpuMicrosPerRecord, double cpuMicrosPerRecordWithStartUp) {}

    static final OperatingSystemMXBean SYSTEM =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    final CountDownLatch done = new CountDownLatch(1);
    private final long records;
    private long seen;
    volatile long firstNanos;
    private long firstCpuNanos;
    private long halfNanos;
    private long halfCpuNanos;
    private long endNanos;
    private long endCpuNanos;

    Progress(long records) {
      this.records = records;
    }

    void one() {
      seen += 1;
      if (seen == 1) {
        firstNanos = System.nanoTime();
        firstCpuNanos = SYSTEM.getProcessCpuTime();
      }
      if (seen == half() && seen > 1) {
        halfNanos = System.nanoTime();
        halfCpuNanos = SYSTEM.getProcessCpuTime();
      }
      if (seen == records) done.countDown();
    }

    /** The smallest whole number that is at least half of the records. */
    private long half() {
      return (records + 1) / 2;
    }

    Measured measure() {
      endNanos = System.nanoTime();
      endCpuNanos = SYSTEM.getProcessCpuTime();
      final double seconds = (endNanos - firstNanos) / 1e9;
      return new Measured(
          seconds, records / seconds, (endCpuNanos - firstCpuNanos) / 1e3 / records, endCpuNanos / 1e3 / records);
    }

    /** The figures of the first half (cold) and of the second (warm), as fields of JSON; after `measure`. */
    String halves() {
      if (halfNanos == 0) return "";
      final long cold = half() - 1;
      final long warm = records - half();
      return String.format(
          Locale.ROOT,
          ",\"coldRecordsPerSecond\":%.0f,\"coldCpuMicrosPerRecord\":%.3f"
              + ",\"warmRecordsPerSecond\":%.0f,\"warmCpuMicrosPerRecord\":%.3f",
          cold * 1e9 / (halfNanos - firstNanos),
          (halfCpuNanos - firstCpuNanos) / 1e3 / cold,
          warm * 1e9 / (endNanos - halfNanos),
          (endCpuNanos - halfCpuNanos) / 1e3 / warm);
    }
  }

  /** How many records were restored, and how long that took. */
  private static final class Restored implements StateRestoreListener {
    final AtomicLong records = new AtomicLong();
    private volatile long startNanos;
    private volatile long endNanos;

    @Override
    public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
      startNanos = System.nanoTime();
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String store, long offset, long count) {
      records.addAndGet(count);
    }

    @Override
    public void onRestoreEnd(TopicPartition partition, String store, long total) {
      endNanos = System.nanoTime();
    }

    double seconds() {
      return (endNanos - startNanos) / 1e9;
    }
  }

  private static String report(Map<String, String> options, Progress.Measured measured, String more) throws IOException {
    return String.format(
        Locale.ROOT,
        "{\"peer\":\"kafka-streams\",\"version\":\"%s\",\"seconds\":%.3f,\"recordsPerSecond\":%.0f,"
            + "\"cpuMicrosPerRecord\":%.3f,\"cpuMicrosPerRecordWithStartUp\":%.3f,\"peakRssMb\":%d%s}",
        AppInfoParser.getVersion(),
        measured.seconds(),
        measured.recordsPerSecond(),
        measured.cpuMicrosPerRecord(),
        measured.cpuMicrosPerRecordWithStartUp(),
        peakRssMb(),
        more);
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
