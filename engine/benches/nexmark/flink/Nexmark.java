import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

/**
 * Times the queries on Apache Flink, in one JVM that is warm: each inserts into a blackhole, from submission to the end.
 * Usage: Nexmark QUERIES_SQL DATA_FOLDER hashmap|rocksdb PARALLELISM ROUNDS [query…]
 * Prints for each query its name, the best seconds and the CPU seconds of that round.
 */
public class Nexmark {
  static final long LIMIT_S = 300;

  public static void main(String[] arguments) throws Exception {
    String script = Files.readString(Path.of(arguments[0]))
        .replace("${data}", "file://" + Path.of(arguments[1]).toAbsolutePath());
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
    // Code paths that all queries share are compiled before any of them counts.
    for (String name : List.of("q17", "q3")) {
      run(tables, queries.get(name), backend, parallelism);
    }
    for (String name : only.isEmpty() ? queries.keySet() : only) {
      double[] best = null;
      for (int round = 0; round < rounds; round++) {
        double[] took = run(tables, queries.get(name), backend, parallelism);
        if (best == null || took[0] < best[0]) {
          best = took;
        }
      }
      System.out.printf("%s %.3f %.3f%n", name, best[0], best[1]);
      System.out.flush();
    }
    System.exit(0);
  }

  /** Seconds and CPU seconds; as many as the limit where the query did not end. */
  static double[] run(String tables, String query, String backend, String parallelism) throws Exception {
    Configuration options = new Configuration();
    options.setString("parallelism.default", parallelism);
    options.setString("table.exec.resource.default-parallelism", parallelism);
    options.setString("table.local-time-zone", "UTC");
    options.setString("taskmanager.numberOfTaskSlots", "8");
    options.setString("restart-strategy.type", "none");
    options.setString("state.backend.type", backend);
    EnvironmentSettings settings =
        EnvironmentSettings.newInstance().withConfiguration(options).inStreamingMode().build();
    TableEnvironment environment = TableEnvironment.create(settings);
    List<String> statements = new ArrayList<>(List.of(tables.split(";\\s*\\n")));
    for (String statement : statements) {
      if (!statement.isBlank()) {
        environment.executeSql(statement.strip());
      }
    }
    long began = System.nanoTime();
    long cpu = cpu();
    Table table = environment.sqlQuery(query);
    Schema.Builder sink = Schema.newBuilder();
    for (Column column : table.getResolvedSchema().getColumns()) {
      String type = column.getDataType().getLogicalType().asSummaryString();
      sink.column(column.getName(), type.replaceAll(" \\*(ROWTIME|PROCTIME)\\*| NOT NULL", ""));
    }
    TableDescriptor blackhole = TableDescriptor.forConnector("blackhole").schema(sink.build()).build();
    TableResult result = table.insertInto(blackhole).execute();
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
}
