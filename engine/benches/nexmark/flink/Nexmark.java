import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs the queries on Apache Flink in one JVM that is warm.
 * Usage: Nexmark time|sum|SERVERS SCRIPT hashmap|rocksdb PARALLELISM ROUNDS [query…]
 *
 * <p>time: each inserts into a blackhole, from submission to the end. Prints for each its name and the least seconds and
 * CPU seconds of its rounds. SERVERS: the same into topics of Kafka, exactly once, with a checkpoint every second; the
 * topics out-flink-QUERY-ROUND are there. sum: prints name, rows and checksum of the final table.
 */
public class Nexmark {
  static final long LIMIT_S = 600;
  static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS");

  public static void main(String[] arguments) throws Exception {
    String mode = arguments[0];
    String script = Files.readString(Path.of(arguments[1]));
    String backend = arguments[2];
    String parallelism = arguments[3];
    int rounds = Integer.parseInt(arguments[4]);
    List<String> only = List.of(arguments).subList(5, arguments.length);

    String tables = null;
    Map<String, String> queries = new LinkedHashMap<>();
    for (String part : script.split("(?m)^-- (?=q\\d+$)")) {
      if (tables == null) {
        tables = part.replaceAll("(?m)^--.*$", "");
        continue;
      }
      String[] nameAndText = part.split("\n", 2);
      queries.put(nameAndText[0].strip(), nameAndText[1].strip().replaceAll(";\\s*$", ""));
    }
    boolean times = !mode.equals("sum");
    // Code paths that all queries share are compiled before any of them counts.
    for (String name : times ? List.of("q17", "q3") : List.<String>of()) {
      run(environment(tables, backend, parallelism, false), queries.get(name), blackhole());
    }
    for (String name : only.isEmpty() ? queries.keySet() : only) {
      if (name.equals("q13")) {
        continue; // Files cannot be looked up here.
      }
      if (!times) {
        sum(environment(tables, backend, parallelism, false), name, queries.get(name));
        continue;
      }
      double seconds = Double.MAX_VALUE;
      double cpu = Double.MAX_VALUE;
      for (int round = 0; round < rounds; round++) {
        TableDescriptor.Builder sink = mode.equals("time") ? blackhole() : topic(mode, name, round);
        double[] took =
            run(environment(tables, backend, parallelism, !mode.equals("time")), queries.get(name), sink);
        seconds = Math.min(seconds, took[0]);
        cpu = Math.min(cpu, took[1]);
      }
      System.out.printf("%s %.3f %.3f%n", name, seconds, cpu);
      System.out.flush();
    }
    System.exit(0);
  }

  static TableEnvironment environment(String tables, String backend, String parallelism, boolean checkpoints) {
    Configuration options = new Configuration();
    options.setString("parallelism.default", parallelism);
    options.setString("table.exec.resource.default-parallelism", parallelism);
    options.setString("table.local-time-zone", "UTC");
    // Managed memory, which RocksDB caches and writes in, is divided among the slots; without a size it is 128 MB.
    options.setString("taskmanager.numberOfTaskSlots", parallelism);
    options.setString("taskmanager.memory.managed.size", "4g");
    options.setString("restart-strategy.type", "none");
    options.setString("state.backend.type", backend);
    if (checkpoints) {
      options.setString("execution.checkpointing.interval", "1s");
      options.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
      options.setString("execution.checkpointing.incremental", "true");
      options.setString("execution.checkpointing.dir", "file://" + System.getProperty("java.io.tmpdir") + "/nexmark");
    }
    EnvironmentSettings settings =
        EnvironmentSettings.newInstance().withConfiguration(options).inStreamingMode().build();
    TableEnvironment environment = TableEnvironment.create(settings);
    for (String statement : tables.split(";\\s*\\n")) {
      if (!statement.isBlank()) {
        environment.executeSql(statement.strip());
      }
    }
    return environment;
  }

  static TableDescriptor.Builder blackhole() {
    return TableDescriptor.forConnector("blackhole");
  }

  static TableDescriptor.Builder topic(String servers, String query, int round) {
    String topic = "out-flink-" + query + "-" + round;
    return TableDescriptor.forConnector("kafka")
        .option("topic", topic)
        .option("properties.bootstrap.servers", servers)
        .option("properties.transaction.timeout.ms", "600000")
        .option("sink.delivery-guarantee", "exactly-once")
        .option("sink.transactional-id-prefix", topic)
        .option("format", "debezium-json");
  }

  /** Seconds and CPU seconds; as many as the limit where the query did not end. */
  static double[] run(TableEnvironment environment, String query, TableDescriptor.Builder into) throws Exception {
    long began = System.nanoTime();
    long cpu = cpu();
    Table table = environment.sqlQuery(query);
    Schema.Builder sink = Schema.newBuilder();
    for (Column column : table.getResolvedSchema().getColumns()) {
      String type = column.getDataType().getLogicalType().asSummaryString();
      sink.column(column.getName(), type.replaceAll(" \\*(ROWTIME|PROCTIME)\\*| NOT NULL", ""));
    }
    TableResult result = table.insertInto(into.schema(sink.build()).build()).execute();
    try {
      result.await(LIMIT_S, TimeUnit.SECONDS);
    } catch (TimeoutException late) {
      result.getJobClient().get().cancel().get();
    }
    return new double[] {(System.nanoTime() - began) / 1e9, (cpu() - cpu) / 1e9};
  }

  static long cpu() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  /** The sum of a hash over each row, whatever their order. */
  static void sum(TableEnvironment environment, String name, String query) throws Exception {
    long rows = 0;
    long sum = 0;
    // Flink plans the Top-1 of q9 as insert-only and leaves the rows out that are taken back: the last of each id stays.
    Map<Object, Long> last = name.equals("q9") ? new HashMap<>() : null;
    try (CloseableIterator<Row> results = environment.executeSql(query).collect()) {
      while (results.hasNext()) {
        Row row = results.next();
        StringJoiner text = new StringJoiner(",", "[", "]");
        for (int column = 0; column < row.getArity(); column++) {
          text.add(json(row.getField(column)));
        }
        long hash = fnv(text.toString());
        if (last != null) {
          last.put(row.getField(0), hash);
          continue;
        }
        boolean adds = row.getKind() == RowKind.INSERT || row.getKind() == RowKind.UPDATE_AFTER;
        rows += adds ? 1 : -1;
        sum += adds ? hash : -hash;
      }
    }
    if (last != null) {
      rows = last.size();
      for (long hash : last.values()) {
        sum += hash;
      }
    }
    System.out.printf("%s %d %016x%n", name, rows, sum);
    System.out.flush();
  }

  static String json(Object value) {
    if (value == null || value instanceof Long || value instanceof Integer) {
      return String.valueOf(value);
    }
    if (value instanceof LocalDateTime) {
      return '"' + TIME.format((LocalDateTime) value) + '"';
    }
    String text = value instanceof BigDecimal ? ((BigDecimal) value).toPlainString() : (String) value;
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  /** FNV-1a with 64 bits. */
  static long fnv(String text) {
    long hash = 0xcbf29ce484222325L;
    for (byte one : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (one & 0xff)) * 0x100000001b3L;
    }
    return hash;
  }
}
