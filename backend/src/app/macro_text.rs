//! The parameters that a macro declares, for the form that asks for sample values. Whether the text is right the engine
//! has said before.

use millrace_wire::user_function::FunctionParameter;

/// `(x DOUBLE, p ROW<a INT, b INT>) RETURNS …` has the parameters x and p. Empty where the text does not read like that.
pub(super) fn parameters(definition: &str) -> Vec<FunctionParameter> {
    list(definition).into_iter().filter_map(|text| parameter(&text)).collect()
}

/// What stands between the commas of the first parentheses.
fn list(definition: &str) -> Vec<String> {
    let Some(open) = definition.find('(') else { return Vec::new() };
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for c in definition.get(open + 1..).unwrap_or_default().chars() {
        match c {
            ')' if depth == 0 => return parts,
            '(' | '<' => depth += 1,
            ')' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    Vec::new()
}

fn parameter(text: &str) -> Option<FunctionParameter> {
    let text = text.trim();
    let (name, rest) = match text.strip_prefix('`') {
        Some(quoted) => quoted.split_once('`')?,
        None => text.split_once(char::is_whitespace)?,
    };
    let data_type = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(FunctionParameter { name: name.to_owned(), data_type })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(definition: &str) -> Vec<(String, String)> {
        parameters(definition).into_iter().map(|parameter| (parameter.name, parameter.data_type)).collect()
    }

    #[test]
    fn names_and_types_are_told_apart() {
        let pair = |name: &str, ty: &str| (name.to_owned(), ty.to_owned());
        assert_eq!(read("(x DOUBLE, y  DOUBLE) RETURNS DOUBLE RETURN x"), [pair("x", "DOUBLE"), pair("y", "DOUBLE")]);
        assert_eq!(
            read("(p DECIMAL(10, 2), r ROW<a INT, b MAP<STRING, INT>>, `my name` STRING) RETURN 1"),
            [pair("p", "DECIMAL(10, 2)"), pair("r", "ROW<a INT, b MAP<STRING, INT>>"), pair("my name", "STRING")]
        );
        for none in ["", "(", "x INT", "() RETURN 1", "(x", "(a INT, (("] {
            assert_eq!(read(none), [], "{none}");
        }
    }
}
