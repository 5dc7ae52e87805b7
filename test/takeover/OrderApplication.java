import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The order application as a team on the JVM would have written it; order-application.ts says the same for Millrace. Runs
 * until SIGTERM, then commits and leaves its group, so that another can take over at once.
 *
 * <p>Arguments: bootstrap servers, application id, what the names of its topics begin with, state folder, processing
 * guarantee.
 */
public final class OrderApplication {
  private static final Serde<String> TEXT = Serdes.String();
  private static final Serde<Long> COUNT = Serdes.Long();
  private static final Duration GRACE = Duration.ofDays(1);

  public static void main(String[] args) throws Exception {
    final KafkaStreams streams = new KafkaStreams(topology(args[2]).build(), configuration(args[0], args[1], args[3], args[4]));
    final CountDownLatch stopped = new CountDownLatch(1);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return null;
        });
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  final CloseOptions leaving =
                      CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP);
                  System.out.println("closed: " + streams.close(leaving.withTimeout(Duration.ofSeconds(20))));
                  stopped.countDown();
                }));
    streams.start();
    stopped.await();
  }

  private static StreamsBuilder topology(String prefix) {
    final StreamsBuilder builder = new StreamsBuilder();
    // An order is keyed by its id, and its value is the customer.
    final KStream<String, String> orders =
        builder.stream(prefix + "-orders", Consumed.with(TEXT, TEXT).withName("orders"));
    final KStream<String, String> payments =
        builder.stream(prefix + "-payments", Consumed.with(TEXT, TEXT).withName("payments"));
    final KTable<String, String> customers =
        builder.table(
            prefix + "-customers",
            Consumed.with(TEXT, TEXT).withName("customers"),
            Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("customers"));
    count(orders, prefix);
    joinPayments(orders, payments, prefix);
    joinCustomers(orders, customers, prefix);
    return builder;
  }

  private static void count(KStream<String, String> orders, String prefix) {
    final KGroupedStream<String, String> byCustomer =
        orders.groupBy((order, customer) -> customer, Grouped.with("orders-by-customer", TEXT, TEXT));
    byCustomer
        .count(
            Named.as("count-orders"),
            Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("order-counts").withValueSerde(COUNT))
        .toStream(Named.as("counts"))
        .to(prefix + "-counts", Produced.with(TEXT, COUNT).withName("to-counts"));
    final Duration size = Duration.ofSeconds(10);
    byCustomer
        .windowedBy(TimeWindows.ofSizeAndGrace(size, GRACE))
        .count(
            Named.as("count-windows"),
            Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("window-counts")
                .withValueSerde(COUNT)
                .withRetention(size.plus(GRACE)))
        .toStream(Named.as("windows"))
        .to(
            prefix + "-window-counts",
            Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, size.toMillis()), COUNT)
                .withName("to-window-counts"));
    final Duration gap = Duration.ofSeconds(5);
    byCustomer
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(gap, GRACE))
        .count(
            Named.as("count-sessions"),
            Materialized.<String, Long, SessionStore<Bytes, byte[]>>as("session-counts")
                .withValueSerde(COUNT)
                .withRetention(gap.plus(GRACE)))
        .toStream(Named.as("sessions"))
        .to(
            prefix + "-session-counts",
            Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), COUNT)
                .withName("to-session-counts"));
  }

  private static void joinPayments(
      KStream<String, String> orders, KStream<String, String> payments, String prefix) {
    orders
        .join(
            payments,
            (customer, payment) -> customer + " paid " + payment,
            JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(30), GRACE),
            StreamJoined.with(TEXT, TEXT, TEXT).withName("order-payment").withStoreName("order-payment"))
        .to(prefix + "-paid-orders", Produced.with(TEXT, TEXT).withName("to-paid-orders"));
  }

  private static void joinCustomers(
      KStream<String, String> orders, KTable<String, String> customers, String prefix) {
    orders
        .map((order, customer) -> KeyValue.pair(customer, order), Named.as("customer-of-order"))
        .join(
            customers,
            (order, tier) -> order + " is " + tier,
            Joined.with(TEXT, TEXT, TEXT).withName("order-customer"))
        .to(prefix + "-tiered-orders", Produced.with(TEXT, TEXT).withName("to-tiered-orders"));
  }

  private static Properties configuration(
      String brokers, String applicationId, String stateFolder, String guarantee) {
    final Properties properties = new Properties();
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
    properties.put(StreamsConfig.STATE_DIR_CONFIG, Path.of(stateFolder).toString());
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
    properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    // No name is left to the position of a step: whoever takes over must find the same ones.
    properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
    properties.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    return properties;
  }
}
