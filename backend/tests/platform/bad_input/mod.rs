//! Wrong input of every kind, over HTTP, and what people are told of it. The snapshots are there to be read.

mod access;
mod connectors;
mod records;
mod sql;

use serde_json::{Value, json};

use crate::server::Server;

/// A team's table, without a connection.
async fn make_table(server: &Server, name: &str, connector: &str, options: Value, columns: &[(&str, &str)]) -> Value {
    server.post("/tables", table(name, connector, options, columns)).await
}

fn table(name: &str, connector: &str, options: Value, columns: &[(&str, &str)]) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, ty)| json!({ "name": name, "data_type": ty, "kind": "physical", "nullable": true }))
        .collect();
    let mut table =
        json!({ "database": "main", "name": name, "connector": connector, "options": options, "columns": columns });
    if table["options"]["format"].is_string() {
        table["format"] = table["options"].as_object_mut().unwrap().remove("format").unwrap();
    }
    table
}

/// One answer in a line or more: status, code, where, what, and what helps.
fn in_words(answer: &crate::server::Answer) -> String {
    let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
    let mut words = format!("{} {}", answer.status, text("code").unwrap_or_default());
    for (before, name) in [(" at ", "field"), (": ", "message"), (" -> ", "hint")] {
        words.extend(text(name).map(|text| format!("{before}{text}")));
    }
    for detail in answer.body["details"].as_array().into_iter().flatten() {
        let (field, message) = (detail["field"].as_str().unwrap(), detail["message"].as_str().unwrap());
        words.push_str(&format!("\n    {field}: {message}"));
    }
    words
}
