//! Every type of the servers: fetched, read, written, and equal on the server afterwards.

use super::*;
use crate::connector::testing::{lines, reader, source};
use crate::connector::{SourceEvent, registry};
use crate::types::parse_type;

/// Column type, a literal, the fetched type, and the value as the engine shows it in JSON.
type Case = (&'static str, &'static str, &'static str, &'static str);

const POSTGRES: &[Case] = &[
    ("boolean", "true", "BOOLEAN", "true"),
    ("smallint", "-32768", "SMALLINT", "-32768"),
    ("integer", "2147483647", "INT", "2147483647"),
    ("bigint", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
    ("oid", "4294967295", "BIGINT", "4294967295"),
    ("real", "0.1", "FLOAT", "0.1"),
    ("double precision", "0.1", "DOUBLE", "0.1"),
    ("numeric(10,3)", "-1234567.891", "DECIMAL(10, 3)", "-1234567.891"),
    (
        "numeric(38,0)",
        "99999999999999999999999999999999999999",
        "DECIMAL(38, 0)",
        "99999999999999999999999999999999999999",
    ),
    (
        "numeric",
        "12345678901234567890.123456789012345678",
        "DECIMAL(38, 18)",
        "12345678901234567890.123456789012345678",
    ),
    ("money", "'12.34'", "DECIMAL(19, 2)", "12.34"),
    ("text", "E'it''s \\\\ \"quoted\"\\n\\u00e4'", "STRING", r#""it's \\ \"quoted\"\nä""#),
    ("varchar(20)", "'v'", "VARCHAR(20)", r#""v""#),
    ("char(4)", "'ab'", "CHAR(4)", r#""ab  ""#),
    ("bytea", "'\\x00ff10'", "BYTES", r#""AP8Q""#),
    ("date", "'1999-12-31'", "DATE", r#""1999-12-31""#),
    ("time(3)", "'23:59:59.123'", "TIME(3)", r#""23:59:59.123""#),
    ("timestamp", "'2020-02-29 12:34:56.123456'", "TIMESTAMP(6)", r#""2020-02-29 12:34:56.123456""#),
    ("timestamp(3)", "'1969-12-31 23:59:59.999'", "TIMESTAMP(3)", r#""1969-12-31 23:59:59.999""#),
    ("timestamptz", "'2020-02-29 12:34:56.123456+05:30'", "TIMESTAMP_LTZ(6)", r#""2020-02-29 07:04:56.123456Z""#),
    ("json", "'{\"a\": [1, null]}'", "STRING", r#""{\"a\": [1, null]}""#),
    ("jsonb", "'{\"a\": [1, null]}'", "STRING", r#""{\"a\": [1, null]}""#),
    ("xml", "'<a/>'", "STRING", r#""<a/>""#),
    ("uuid", "'0190a2b4-0000-7000-8000-000000000001'", "STRING", r#""0190a2b4-0000-7000-8000-000000000001""#),
    ("interval", "'1 day 2 hours'", "STRING", r#""P1DT2H""#),
    ("timetz", "'12:34:56+02'", "STRING", r#""12:34:56+02""#),
    ("inet", "'10.0.0.1/8'", "STRING", r#""10.0.0.1/8""#),
    ("cidr", "'10.0.0.0/8'", "STRING", r#""10.0.0.0/8""#),
    ("macaddr", "'08:00:2b:01:02:03'", "STRING", r#""08:00:2b:01:02:03""#),
    ("bit(3)", "B'101'", "STRING", r#""101""#),
    ("varbit", "B'1'", "STRING", r#""1""#),
    ("point", "'(1,2)'", "STRING", r#""(1,2)""#),
    ("int4range", "'[1,5)'", "STRING", r#""[1,5)""#),
    ("tsvector", "'a b'", "STRING", r#""'a' 'b'""#),
    ("integer[]", "'{1,NULL,3}'", "ARRAY<INT>", "[1,null,3]"),
    ("text[]", "ARRAY['a,b','\"','NULL','',NULL]", "ARRAY<STRING>", r#"["a,b","\"","NULL","",null]"#),
    (
        "timestamptz[]",
        "ARRAY['2020-01-01 00:00:00+00'::timestamptz]",
        "ARRAY<TIMESTAMP_LTZ(6)>",
        r#"["2020-01-01 00:00:00Z"]"#,
    ),
    ("bytea[]", "ARRAY['\\x00ff'::bytea]", "ARRAY<BYTES>", r#"["AP8="]"#),
    ("numeric(5,2)[]", "ARRAY[1.25]", "ARRAY<DECIMAL(5, 2)>", "[1.25]"),
    ("mood", "'happy'", "STRING", r#""happy""#),
    ("positive", "7", "INT", "7"),
];

const MYSQL: &[Case] = &[
    ("tinyint(1)", "1", "BOOLEAN", "true"),
    ("tinyint", "-128", "TINYINT", "-128"),
    ("tinyint unsigned", "255", "SMALLINT", "255"),
    ("smallint", "-32768", "SMALLINT", "-32768"),
    ("smallint unsigned", "65535", "INT", "65535"),
    ("mediumint", "-8388608", "INT", "-8388608"),
    ("mediumint unsigned", "16777215", "INT", "16777215"),
    ("int", "2147483647", "INT", "2147483647"),
    ("int unsigned", "4294967295", "BIGINT", "4294967295"),
    ("bigint", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
    ("bigint unsigned", "18446744073709551615", "DECIMAL(20, 0)", "18446744073709551615"),
    ("year", "2020", "SMALLINT", "2020"),
    ("bit(1)", "b'1'", "BOOLEAN", "true"),
    ("bit(12)", "b'101'", "BIGINT", "5"),
    ("bit(64)", "18446744073709551615", "DECIMAL(20, 0)", "18446744073709551615"),
    ("float", "16777217.7", "FLOAT", "16777218.0"),
    ("double", "0.1", "DOUBLE", "0.1"),
    ("decimal(10,3)", "-1234567.891", "DECIMAL(10, 3)", "-1234567.891"),
    (
        "decimal(38,2)",
        "999999999999999999999999999999999999.99",
        "DECIMAL(38, 2)",
        "999999999999999999999999999999999999.99",
    ),
    (
        "decimal(65,2)",
        "1234567890123456789012345678901234567890.12",
        "STRING",
        r#""1234567890123456789012345678901234567890.12""#,
    ),
    ("char(4)", "'ab'", "CHAR(4)", r#""ab""#),
    ("varchar(40) character set utf8mb4", "'it''s \\ \"quoted\" 😀'", "VARCHAR(40)", r#""it's \\ \"quoted\" 😀""#),
    ("tinytext", "'a'", "STRING", r#""a""#),
    ("text", "'b'", "STRING", r#""b""#),
    ("mediumtext", "'c'", "STRING", r#""c""#),
    ("longtext", "'d'", "STRING", r#""d""#),
    ("varchar(10) character set latin1", "'ä'", "VARCHAR(10)", r#""ä""#),
    ("binary(3)", "X'00ff10'", "BYTES", r#""AP8Q""#),
    ("varbinary(10)", "X'00ff10'", "BYTES", r#""AP8Q""#),
    ("tinyblob", "X'27'", "BYTES", r#""Jw==""#),
    ("blob", "X'00ff10'", "BYTES", r#""AP8Q""#),
    ("mediumblob", "X'00'", "BYTES", r#""AA==""#),
    ("longblob", "X''", "BYTES", r#""""#),
    ("date", "'1999-12-31'", "DATE", r#""1999-12-31""#),
    ("time", "'23:59:59'", "TIME(0)", r#""23:59:59""#),
    ("time(3)", "'23:59:59.123'", "TIME(3)", r#""23:59:59.123""#),
    ("datetime", "'2020-02-29 12:34:56'", "TIMESTAMP(0)", r#""2020-02-29 12:34:56""#),
    ("datetime(6)", "'1969-12-31 23:59:59.999999'", "TIMESTAMP(6)", r#""1969-12-31 23:59:59.999999""#),
    ("timestamp(3) null", "'2020-02-29 12:34:56.123'", "TIMESTAMP_LTZ(3)", r#""2020-02-29 12:34:56.123Z""#),
    ("json", "'{\"a\": [1, null]}'", "STRING", r#""{\"a\": [1, null]}""#),
    ("enum('sad','happy')", "'happy'", "STRING", r#""happy""#),
    ("set('a','b','c')", "'a,c'", "STRING", r#""a,c""#),
    ("uuid", "'0190a2b4-0000-7000-8000-000000000001'", "STRING", r#""0190a2b4-0000-7000-8000-000000000001""#),
    ("inet6", "'::1'", "STRING", r#""::1""#),
    ("point", "ST_GeomFromText('POINT(1 2)')", "BYTES", r#""AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==""#),
];

#[test]
fn every_type_goes_there_and_back() {
    for server in servers("every_type_goes_there_and_back") {
        let cases = server.pick(POSTGRES, MYSQL);
        let (here, there) = (server.name(), server.name());
        if !server.is_mysql() {
            // They may be there from an earlier run.
            let _ = server.ask("CREATE TYPE mood AS ENUM ('sad', 'happy')");
            let _ = server.ask("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)");
        }
        let columns: Vec<String> = cases.iter().enumerate().map(|(n, case)| format!("c{n} {}", case.0)).collect();
        let literals: Vec<&str> = cases.iter().map(|case| case.1).collect();
        for name in [&here, &there] {
            server.run(&format!("CREATE TABLE {name} (id int PRIMARY KEY, {})", columns.join(", ")));
        }
        server.run(&format!("INSERT INTO {here} VALUES (1, {})", literals.join(", ")));
        server.run(&format!("INSERT INTO {here} (id) VALUES (2)"));

        let context = server.context("types");
        let connector = registry::find(server.pick("postgres", "mysql")).unwrap();
        let options = server.table(&here, &[], &[]).options.clone();
        let fetched = server.runtime.block_on(connector.fetch(&options, &context)).unwrap();
        for (found, case) in fetched.columns.iter().skip(1).zip(cases) {
            assert_eq!(found.data_type, case.2, "{}", case.0);
        }
        let declared: Vec<(&str, LogicalType)> = fetched
            .columns
            .iter()
            .map(|column| (column.name.as_str(), parse_type(&column.data_type).unwrap().logical))
            .collect();
        let table = server.table(&here, &declared, &["id"]);
        assert_eq!(connector.validate(&table, crate::connector::TableUse::Read).len(), 0);

        let source = source(&table, &context);
        let mut reader = reader(&*source, &[]);
        let sink = connector.sink(&server.table(&there, &declared, &["id"]), &context).unwrap();
        let mut writer = sink.writer(0, 1, Vec::new()).unwrap();
        let mut found = Vec::new();
        loop {
            match reader.next(std::time::Duration::from_secs(5)).unwrap() {
                SourceEvent::Batch { batch, .. } => {
                    found.extend(lines(&batch));
                    writer.write(&batch).unwrap();
                }
                SourceEvent::End => break,
                _ => {}
            }
        }
        writer.close().unwrap();
        let fields = |open: &str, value: &dyn Fn(&Case) -> String| {
            let fields: Vec<String> =
                cases.iter().enumerate().map(|(n, case)| format!("\"c{n}\":{}", value(case))).collect();
            format!("+I{open},{}}}", fields.join(","))
        };
        assert_eq!(
            found,
            [fields("{\"id\":1", &|case| case.3.to_owned()), fields("{\"id\":2", &|_| "null".to_owned()),]
        );
        let same = |n: usize, ty: &str| match ty {
            "json" | "xml" | "point" if !server.is_mysql() => format!("a.c{n}::text IS NOT DISTINCT FROM b.c{n}::text"),
            _ => server.pick(format!("a.c{n} IS NOT DISTINCT FROM b.c{n}"), format!("a.c{n} <=> b.c{n}")),
        };
        for (n, (ty, ..)) in cases.iter().enumerate() {
            let same = same(n, ty);
            let equal =
                server.rows(&format!("SELECT count(*) FROM {here} a JOIN {there} b ON a.id = b.id WHERE {same}"));
            assert_eq!(equal, ["2"], "{ty}");
        }
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused() {
    for server in servers("a_value_that_does_not_fit_is_refused") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (id int PRIMARY KEY, v int)"));
        server.run(&format!("INSERT INTO {name} VALUES (1, 300)"));
        let table = server.table(&name, &[("id", LogicalType::Int), ("v", LogicalType::TinyInt)], &[]);
        let error = crate::connector::testing::read_all(&table, &server.context("types")).unwrap_err();
        assert!(error.message.contains("'v'") && error.message.contains("'300'"), "{}", error.message);
    }
}
