//! Conditions of queries for the server: only those under which it leaves out no row that passes them here.

use datafusion_common::ScalarValue;

use super::super::{ColumnTest, Comparison, RowFilter, Test};
use super::dialect::{ColumnFacts, Dialect, TableFacts};
use crate::format::temporal::write_date;
use crate::types::{Field, LogicalType};

/// `None` when some use cannot be told to the server.
pub(super) fn condition(
    filter: &RowFilter,
    dialect: &dyn Dialect,
    facts: &TableFacts,
    fields: &[Field],
) -> Option<String> {
    let one = |test: &ColumnTest| {
        let field = fields.iter().find(|field| field.name == test.column)?;
        test_text(&test.test, dialect, facts.column(&test.column)?, &field.ty.logical)
    };
    let all = |tests: &Vec<ColumnTest>| {
        let parts: Vec<String> = tests.iter().filter_map(one).collect();
        (!parts.is_empty()).then(|| parts.join(" AND "))
    };
    let uses = filter.uses.iter().map(all).collect::<Option<Vec<_>>>()?;
    match uses.as_slice() {
        [] => None,
        [only] => Some(format!("({only})")),
        several => Some(format!("(({}))", several.join(") OR ("))),
    }
}

fn test_text(test: &Test, dialect: &dyn Dialect, column: &ColumnFacts, ty: &LogicalType) -> Option<String> {
    let name = dialect.name(&column.name);
    let exact = dialect.same_equality(column, ty);
    match test {
        // MySQL has dates that are NULL here.
        Test::IsNull => (exact && ty.is_integer()).then(|| format!("{name} IS NULL")),
        Test::IsNotNull => exact.then(|| format!("{name} IS NOT NULL")),
        // Its collation may hold more texts for equal, never fewer.
        Test::Compare(Comparison::Equal, value) if ty.is_character() && dialect.is_plain_text(column) => {
            let text = value.as_str().filter(|text| text.is_ascii())?;
            Some(format!("{name} = {}", dialect.text_literal(text).ok()?))
        }
        Test::Compare(comparison, value) if exact => {
            let literal = match (ty, &value.0) {
                (ty, _) if ty.is_integer() => value.as_i64()?.to_string(),
                (LogicalType::Date, ScalarValue::Date32(Some(days))) => date(*days, dialect)?,
                _ => return None,
            };
            Some(format!("{name} {} {literal}", comparison.sign()))
        }
        Test::Compare(..) => None,
    }
}

/// Of the years that every server knows.
fn date(days: i32, dialect: &dyn Dialect) -> Option<String> {
    let mut text = Vec::new();
    write_date(&mut text, days.into());
    let text = String::from_utf8(text).ok().filter(|text| text.len() == 10 && !text.starts_with("0000"))?;
    Some(format!("DATE {}", dialect.text_literal(&text).ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::connector::mysql::MYSQL;
    use crate::connector::postgres::POSTGRES;
    use crate::expr::Value;
    use crate::types::Type;

    fn test(column: &str, test: Test) -> ColumnTest {
        ColumnTest { column: column.to_owned(), test }
    }

    fn compare(column: &str, comparison: Comparison, value: Value) -> ColumnTest {
        test(column, Test::Compare(comparison, value))
    }

    fn told(dialect: &dyn Dialect, integer: &str, text: &str, uses: Vec<Vec<ColumnTest>>) -> Option<String> {
        let column = |name: &str, base: &str| ColumnFacts {
            name: name.to_owned(),
            ty: base.to_owned(),
            base: base.to_owned(),
            not_null: false,
            comment: String::new(),
        };
        let columns = vec![
            column("n", integer),
            column("day", "date"),
            column("t", text),
            column("id", "uuid"),
            column("f", "double"),
        ];
        let facts = TableFacts {
            columns,
            primary_key: Vec::new(),
            unique: Vec::new(),
            transactional: true,
            comment: String::new(),
        };
        let field = |name: &str, ty| Field::new(name, Type::nullable(ty));
        let fields = [
            field("n", LogicalType::BigInt),
            field("day", LogicalType::Date),
            field("t", LogicalType::String),
            field("id", LogicalType::String),
            field("f", LogicalType::Double),
        ];
        condition(&RowFilter { uses }, dialect, &facts, &fields)
    }

    #[test]
    fn only_what_the_server_tells_alike_is_told() {
        let many = || {
            vec![
                compare("n", Comparison::GreaterOrEqual, Value::big_int(-5)),
                compare("day", Comparison::Less, Value(ScalarValue::Date32(Some(18_263)))),
                compare("t", Comparison::Equal, Value::string("it's")),
                // None of these: another order, another alphabet, no plain text, no exact number.
                compare("t", Comparison::Less, Value::string("a")),
                compare("t", Comparison::Equal, Value::string("é")),
                compare("id", Comparison::Equal, Value::string("a")),
                compare("f", Comparison::Equal, Value::big_int(1)),
                test("day", Test::IsNull),
                test("n", Test::IsNotNull),
            ]
        };
        let expected = r#"("n" >= -5 AND "day" < DATE '2020-01-02' AND "t" = 'it''s' AND "n" IS NOT NULL)"#;
        assert_eq!(told(&POSTGRES, "integer", "text", vec![many()]).unwrap(), expected);
        let expected = "(`n` >= -5 AND `day` < DATE '2020-01-02' AND `t` = 'it''s' AND `n` IS NOT NULL)";
        assert_eq!(told(&MYSQL, "int", "varchar", vec![many()]).unwrap(), expected);
    }

    #[test]
    fn every_use_has_to_be_told() {
        let number = |comparison| vec![compare("n", comparison, Value::big_int(1))];
        let both = told(&MYSQL, "int", "text", vec![number(Comparison::Less), number(Comparison::Equal)]);
        assert_eq!(both.unwrap(), "((`n` < 1) OR (`n` = 1))");
        let other = vec![compare("f", Comparison::Less, Value::big_int(1))];
        assert_eq!(told(&MYSQL, "int", "text", vec![number(Comparison::Less), other]), None);
        assert_eq!(told(&MYSQL, "decimal", "text", vec![number(Comparison::Less)]), None);
    }
}
