//! Whole jobs, with the names that scripts from Flink use.

use super::*;
use crate::catalog::CatalogText;
use crate::local::{LocalOptions, prepare};
use crate::plan::settings::Settings;
use crate::runtime::Outcome;

fn run(server: &Server, sql: &str) -> String {
    let options = LocalOptions {
        catalog: CatalogText::default(),
        settings: Settings::default(),
        file_roots: Vec::new(),
        batch_rows: 100,
        runtime: server.runtime.handle().clone(),
    };
    let prepared = prepare(sql, options, Arc::new(|_| Ok(()))).unwrap();
    let guarantee = format!("{:?}", prepared.guarantee());
    assert_eq!(prepared.start().unwrap().finish().unwrap(), Outcome::Finished);
    guarantee
}

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
            let said = run(&server, &script(guarantee));
            assert!(said.contains(if guarantee == "exactly-once" { "ExactlyOnce" } else { "AtLeastOnce" }), "{said}");
            let expected = ["g0,1000,375375.00", "g1,1000,374875.00", "g2,1000,375125.00"];
            assert_eq!(server.rows(&format!("SELECT g, c, s FROM {to} ORDER BY g")), expected, "{guarantee}");
        }
    }
}
