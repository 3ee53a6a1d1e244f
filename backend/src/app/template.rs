//! Scripts to begin with, for common tasks. They stand in one readable file; each is whole, with its own tables.

use millrace_wire::snippet::ScriptTemplate;

const FILE: &str = include_str!("../../../assets/editor/templates.sql");
/// Begins a template; its description follows on lines that begin with `DESCRIPTION`.
const TITLE: &str = "--== ";
const DESCRIPTION: &str = "--= ";
/// A table that the team has to make: no part of the script.
const TABLE: &str = "--+ ";

/// In the order of the file.
pub fn all() -> Vec<ScriptTemplate> {
    let mut templates: Vec<ScriptTemplate> = Vec::new();
    for line in FILE.lines() {
        if let Some(name) = line.strip_prefix(TITLE) {
            let name = name.trim().to_owned();
            templates.push(ScriptTemplate { name, description: String::new(), sql: String::new() });
            continue;
        }
        let Some(template) = templates.last_mut().filter(|_| !line.starts_with(TABLE)) else { continue };
        if let Some(words) = line.strip_prefix(DESCRIPTION) {
            if !template.description.is_empty() {
                template.description.push(' ');
            }
            template.description.push_str(words.trim());
        } else {
            template.sql.push_str(line);
            template.sql.push('\n');
        }
    }
    for template in &mut templates {
        template.sql = format!("{}\n", template.sql.trim());
    }
    templates
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::{BTreeMap, BTreeSet};

    use millrace_wire::link::TableSource;

    use super::{FILE, TABLE, TITLE, all};
    use crate::engine::{self, CatalogText};

    /// The tables that the file has beside the script.
    fn tables_of(name: &str) -> BTreeMap<String, TableSource> {
        let begin = format!("{TITLE}{name}\n");
        let own = FILE.split(&begin).nth(1).unwrap().split(TITLE).next().unwrap();
        let ddl = own.lines().filter_map(|line| line.strip_prefix(TABLE));
        let named = ddl.map(|ddl| {
            let table = ddl.split_whitespace().nth(2).unwrap();
            let source = TableSource { ddl: ddl.trim_end_matches(';').to_owned(), hidden_options: BTreeMap::new() };
            (format!("main.{table}"), source)
        });
        named.collect()
    }

    #[test]
    fn every_template_plans_against_its_own_tables() {
        let templates = all();
        assert!(templates.len() >= 8, "{}", templates.len());
        let names: BTreeSet<&str> = templates.iter().map(|template| template.name.as_str()).collect();
        assert_eq!(names.len(), templates.len(), "two have the same name");
        for template in &templates {
            assert!(!template.description.is_empty(), "{}", template.name);
            let tables = tables_of(&template.name);
            let catalog =
                CatalogText { default_database: "main".to_owned(), tables: tables.into(), ..CatalogText::default() };
            let found = engine::front().validate(&template.sql, &catalog, 1);
            assert!(found.diagnostics.is_empty(), "{}: {:?}", template.name, found.diagnostics);
            assert!(found.graph.is_some(), "{} has no plan", template.name);
        }
    }
}
