//! Parameters while a script is formatted: the formatter reads SQL, so that something must stand for them.

use super::fill::{Value, Values};
use super::find::{Place, What, find};

/// A script whose parameters among the code are veiled by names or numbers of their own. Those within quotes stay: the
/// formatter leaves strings and quoted names as they are.
pub struct Veiled {
    text: String,
    /// Veil and what is written below it.
    veils: Vec<(String, String)>,
}

impl Veiled {
    pub fn new(sql: &str, values: &Values) -> Veiled {
        let mut veiled = Veiled { text: String::with_capacity(sql.len()), veils: Vec::new() };
        let mut at = 0;
        for found in find(sql).into_iter().filter(|found| found.place == Place::Code) {
            let What::Parameter { name, default } = &found.what else { continue };
            let value = match values.get(name) {
                Some(Value::Plain(value)) => Some(value),
                _ => default.as_ref(),
            };
            let is_number = value.is_some_and(|value| value.trim().parse::<f64>().is_ok());
            let written = sql.get(found.span.clone()).unwrap_or_default().to_owned();
            let veil = veiled.unused(sql, is_number, written.chars().count());
            veiled.text.push_str(sql.get(at..found.span.start).unwrap_or_default());
            veiled.text.push_str(&veil);
            veiled.veils.push((veil, written));
            at = found.span.end;
        }
        veiled.text.push_str(sql.get(at..).unwrap_or_default());
        veiled
    }

    /// As long as what it stands for, so that lines break where they would, and nowhere in the script.
    fn unused(&self, sql: &str, is_number: bool, length: usize) -> String {
        let mut number = self.veils.len();
        loop {
            let veil = match is_number {
                true => format!("9{number:0>width$}", width = length.saturating_sub(1).max(6)),
                false => format!("v{number:_>width$}", width = length.saturating_sub(1).max(6)),
            };
            if !sql.contains(&veil) {
                return veil;
            }
            number += 1_000;
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn unveiled(&self, formatted: &str) -> String {
        self.veils.iter().fold(formatted.to_owned(), |text, (veil, written)| text.replacen(veil, written, 1))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_script_with_parameters_is_formatted_around_them() {
        let values = Values::from([("n".to_owned(), Value::Plain("10".to_owned()))]);
        let sql = "select '${a}', x_${b} from ${c:-t} /* ${d} */ limit ${n}";
        let veiled = Veiled::new(sql, &values);
        assert!(!veiled.text().replace("'${a}'", "").replace("${d}", "").contains("${"), "{}", veiled.text());
        let formatted = millrace_engine::sql::format_sql(veiled.text()).unwrap();
        let shown = veiled.unveiled(&formatted);
        for part in ["'${a}'", "x_${b}", "FROM ${c:-t}", "${d}", "LIMIT ${n}"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn a_veil_that_the_script_holds_already_is_not_taken() {
        let sql = format!("SELECT ${{a}}, {}", Veiled::new("SELECT ${a}", &Values::new()).veils[0].0);
        let veiled = Veiled::new(&sql, &Values::new());
        assert_eq!(veiled.unveiled(veiled.text()), sql);
    }
}
