//! Whole jobs, with the names that scripts from Flink use.

use super::*;
use crate::connector::testing::run_script;

#[test]
fn an_aggregate_from_table_to_table() {
    for server in servers("an_aggregate_from_table_to_table") {
        let (from, to) = (server.name(), server.name());
        server.run(&format!("CREATE TABLE {from} (id int PRIMARY KEY, g varchar(10), v numeric(10,2))"));
        server.run(&format!("CREATE TABLE {to} (g varchar(10) PRIMARY KEY, c bigint, s numeric(20,2))"));
        let numbers = server.pick("generate_series(1, 3000) AS s(n)", "(SELECT seq AS n FROM seq_1_to_3000) AS s");
        server.run(&format!("INSERT INTO {from} SELECT n, concat('g', n % 3), n / 4.0 FROM {numbers}"));
        let option = |name: &str| server.address.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        let scheme = server.pick("postgresql", "mysql");
        let url = format!("jdbc:{scheme}://{}:{}/{}", option("hostname"), option("port"), option("database-name"));
        let with = |table: &str, more: &str| {
            let (user, password) = (option("username"), option("password"));
            format!(
                "WITH ('connector' = 'jdbc', 'url' = '{url}', 'table-name' = '{table}', 'username' = '{user}', \
                 'password' = '{password}'{more})"
            )
        };
        let cut = ", 'scan.partition.column' = 'id', 'scan.partition.num' = '4', \
                   'scan.partition.lower-bound' = '1', 'scan.partition.upper-bound' = '3000'";
        let script = |guarantee: &str| {
            format!(
                "SET 'parallelism.default' = '2';
                 CREATE TABLE source (id INT, g STRING, v DECIMAL(10, 2)) {};
                 CREATE TABLE target (g STRING, c BIGINT, s DECIMAL(20, 2), PRIMARY KEY (g) NOT ENFORCED) {};
                 INSERT INTO target SELECT g, COUNT(*), CAST(SUM(v) AS DECIMAL(20, 2)) FROM source GROUP BY g;",
                with(&from, cut),
                with(&to, &format!(", 'sink.delivery-guarantee' = '{guarantee}'"))
            )
        };
        for guarantee in ["at-least-once", "exactly-once"] {
            server.run(&format!("DELETE FROM {to}"));
            let said = format!("{:?}", run_script(&script(guarantee), 100, &server.runtime));
            assert!(said.contains(if guarantee == "exactly-once" { "ExactlyOnce" } else { "AtLeastOnce" }), "{said}");
            let expected = ["g0,1000,375375.00", "g1,1000,374875.00", "g2,1000,375125.00"];
            assert_eq!(server.rows(&format!("SELECT g, c, s FROM {to} ORDER BY g")), expected, "{guarantee}");
        }
    }
}

/// The `WITH` of a table of the server.
fn with(server: &Server, table: &str, more: &str) -> String {
    let options: Vec<String> =
        server.options(table).iter().map(|(name, value)| format!("'{name}' = '{value}'")).collect();
    format!("WITH ({}{more})", options.join(", "))
}

#[test]
fn rows_are_looked_up_while_a_job_runs() {
    for server in servers("rows_are_looked_up_while_a_job_runs") {
        let (orders, people, to) = (server.name(), server.name(), server.name());
        server.run(&format!("CREATE TABLE {orders} (id int PRIMARY KEY, who int)"));
        server.run(&format!("CREATE TABLE {people} (id int PRIMARY KEY, name varchar(20))"));
        server.run(&format!("CREATE TABLE {to} (id int PRIMARY KEY, name varchar(20))"));
        let numbers = server.pick("generate_series(1, 300) AS s(n)", "(SELECT seq AS n FROM seq_1_to_300) AS s");
        server.run(&format!("INSERT INTO {orders} SELECT n, n % 7 FROM {numbers}"));
        server.run(&format!("INSERT INTO {people} VALUES (0, 'zoe'), (1, 'ann'), (2, NULL), (3, 'it''s me')"));
        let caches = [
            "",
            ", 'lookup.cache' = 'PARTIAL', 'lookup.partial-cache.max-rows' = '3'",
            ", 'lookup.cache' = 'FULL', 'lookup.full-cache.periodic-reload.interval' = '1 h'",
        ];
        for cache in caches {
            server.run(&format!("DELETE FROM {to}"));
            let sql = format!(
                "CREATE TABLE orders (id INT, who INT, p AS PROCTIME()) {};
                 CREATE TABLE people (id INT, name STRING, PRIMARY KEY (id) NOT ENFORCED) {};
                 CREATE TABLE target (id INT, name STRING, PRIMARY KEY (id) NOT ENFORCED) {};
                 INSERT INTO target SELECT o.id, p.name FROM orders AS o
                   LEFT JOIN people FOR SYSTEM_TIME AS OF o.p AS p ON o.who = p.id WHERE o.id > 280 AND o.id <= 287;",
                with(&server, &orders, ""),
                with(&server, &people, cache),
                with(&server, &to, "")
            );
            run_script(&sql, 100, &server.runtime);
            let expected = ["281,ann", "282,NULL", "283,it's me", "284,NULL", "285,NULL", "286,NULL", "287,zoe"];
            assert_eq!(server.rows(&format!("SELECT id, name FROM {to} ORDER BY id")), expected, "{cache}");
        }
    }
}

#[test]
fn merge_changes_a_table_of_the_server() {
    for server in servers("merge_changes_a_table_of_the_server") {
        let (changes, to) = (server.name(), server.name());
        server.run(&format!("CREATE TABLE {changes} (id int PRIMARY KEY, v int)"));
        server.run(&format!("CREATE TABLE {to} (id int PRIMARY KEY, v int, note varchar(20))"));
        server.run(&format!("INSERT INTO {changes} VALUES (1, 10), (2, -1), (3, 30), (4, -4)"));
        server.run(&format!("INSERT INTO {to} VALUES (1, 1, 'a'), (2, 2, 'b'), (5, 5, 'e')"));
        let sql = format!(
            "SET 'execution.runtime-mode' = 'batch';
             CREATE TABLE changes (id INT, v INT) {};
             CREATE TABLE target (id INT, v INT, note STRING, PRIMARY KEY (id) NOT ENFORCED) {};
             MERGE INTO target AS t USING changes AS c ON t.id = c.id
               WHEN MATCHED AND c.v < 0 THEN DELETE
               WHEN MATCHED THEN UPDATE SET v = t.v + c.v
               WHEN NOT MATCHED AND c.v > 0 THEN INSERT (id, v, note) VALUES (c.id, c.v, 'new');",
            with(&server, &changes, ""),
            with(&server, &to, "")
        );
        run_script(&sql, 100, &server.runtime);
        let rows = server.rows(&format!("SELECT id, v, note FROM {to} ORDER BY id"));
        assert_eq!(rows, ["1,11,a", "3,30,new", "5,5,e"]);
    }
}
