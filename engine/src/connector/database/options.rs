//! Options of database tables: our own names for the address, Flink's for all others.

use millrace_wire::connection::ConnectionKind;
use millrace_wire::connector::{ConnectorSchema, OptionClass, OptionKind, OptionSchema, OptionSide};

use super::super::option::{on_side, one_of, required};
use super::target::{Flavour, TLS_MODES};
use crate::format::defaulted;

pub(super) fn schema(flavour: Flavour) -> ConnectorSchema {
    let (name, title, summary) = match flavour {
        Flavour::Postgres => ("postgres", "PostgreSQL", "A table of a PostgreSQL database."),
        Flavour::MySql => ("mysql", "MySQL, MariaDB", "A table of a MySQL or MariaDB database."),
        Flavour::Jdbc => ("jdbc", "Database by URL", "A table of PostgreSQL, MySQL or MariaDB, named as in Flink."),
    };
    let mut options = address(flavour);
    options.extend(scan());
    options.extend(sink());
    ConnectorSchema {
        name: name.to_owned(),
        title: title.to_owned(),
        summary: summary.to_owned(),
        connection: None,
        takes: match flavour {
            Flavour::Postgres => vec![ConnectionKind::Postgresql],
            Flavour::MySql => vec![ConnectionKind::Mysql],
            Flavour::Jdbc => vec![ConnectionKind::Postgresql, ConnectionKind::Mysql],
        },
        source: true,
        sink: true,
        lookup: true,
        bounded: true,
        formats: Vec::new(),
        options,
        fixed_columns: Vec::new(),
        fetches_schema: true,
    }
}

fn address(flavour: Flavour) -> Vec<OptionSchema> {
    let mut options = Vec::new();
    match flavour {
        Flavour::Jdbc => {
            let help = "jdbc:postgresql://host:port/database or jdbc:mysql://host:port/database";
            options.push(required("url", "URL", help, OptionKind::Text));
        }
        Flavour::Postgres | Flavour::MySql => {
            let port = if flavour == Flavour::Postgres { "5432" } else { "3306" };
            options.extend([
                required("hostname", "Host", "Name or address of the server.", OptionKind::Text),
                defaulted("port", "Port", "Where the server listens.", OptionKind::Integer, port),
                required("database-name", "Database", "The database to connect to.", OptionKind::Text),
            ]);
        }
    }
    if flavour == Flavour::Postgres {
        options.push(defaulted("schema-name", "Schema", "Where the table is.", OptionKind::Text, "public"));
    }
    options.extend([
        required("table-name", "Table", "A table or view.", OptionKind::Text),
        defaulted("username", "User", "Who signs in.", OptionKind::Text, ""),
        defaulted("password", "Password", "Of the user.", OptionKind::Secret, ""),
        one_of(
            defaulted(
                "ssl.mode",
                "Encryption",
                "prefer encrypts where the server can; verify-full also checks who it is.",
                OptionKind::Choice,
                "prefer",
            ),
            &TLS_MODES,
        ),
    ]);
    if flavour == Flavour::Jdbc {
        let ignored = |name, title| defaulted(name, title, "Accepted for scripts from Flink.", OptionKind::Text, "");
        options.extend([
            ignored("driver", "Driver"),
            ignored("connection.max-retry-timeout", "Connection check"),
            ignored("scan.auto-commit", "Auto-commit"),
        ]);
    }
    let mut no_local =
        defaulted(super::super::NO_LOCAL, "No local addresses", "Set by the server.", OptionKind::Text, "");
    no_local.class = OptionClass::Platform;
    options.push(no_local);
    options
}

fn scan() -> Vec<OptionSchema> {
    let option = |name, title, help, kind| on_side(defaulted(name, title, help, kind, ""), OptionSide::Source);
    vec![
        option(
            "scan.partition.column",
            "Cut by column",
            "A column of numbers, dates or timestamps; its ranges are read side by side. Rows outside of the bounds are not read.",
            OptionKind::Text,
        ),
        option("scan.partition.num", "Ranges", "How many.", OptionKind::Integer),
        option("scan.partition.lower-bound", "From", "The smallest value of the first range.", OptionKind::Text),
        option("scan.partition.upper-bound", "To", "The largest value of the last range.", OptionKind::Text),
        option("scan.fetch-size", "Rows per batch", "At most; empty or 0: as the engine likes.", OptionKind::Integer),
    ]
}

fn sink() -> Vec<OptionSchema> {
    let option =
        |name, title, help, kind, default| on_side(defaulted(name, title, help, kind, default), OptionSide::Sink);
    vec![
        one_of(
            option(
                "sink.delivery-guarantee",
                "Guarantee",
                "exactly-once writes the rows of a checkpoint in one transaction, when it is complete.",
                OptionKind::Choice,
                "at-least-once",
            ),
            &["at-least-once", "exactly-once"],
        ),
        option(
            "sink.buffer-flush.max-rows",
            "Rows kept back",
            "Written at the latest when there are so many; 0: when the time is over.",
            OptionKind::Integer,
            "1000",
        ),
        option(
            "sink.buffer-flush.interval",
            "Time kept back",
            "Rows are written after this time; 0: only when there are enough.",
            OptionKind::Duration,
            "1 s",
        ),
        option("sink.max-retries", "Tries again", "When writing fails.", OptionKind::Integer, "3"),
        option(
            "sink.parallelism",
            "Sink tasks",
            "Accepted for scripts from Flink; the job's parallelism is used.",
            OptionKind::Integer,
            "",
        ),
    ]
}
