//! Conditions in paths: `[?(@.price < 10 && @.category == 'fiction')]`.

use regex::Regex;

use super::parse::Json;
use super::path::{Path, Step};
use super::path_parse::PathReader;
use super::walk;

/// Parentheses and conditions inside each other at most.
const DEPTH_LIMIT: usize = 30;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Exists(Operand),
    Compare { left: Operand, comparison: Comparison, right: Operand },
    Matches { left: Operand, pattern: Pattern },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// `@.a`: from the element.
    Here(Path),
    /// `$.a`: from the top.
    Top(Path),
    Constant(Json),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A regular expression; two are equal when their texts are.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Condition {
    pub(super) fn read(reader: &mut PathReader) -> Result<Self, String> {
        reader.depth += 1;
        if reader.depth > DEPTH_LIMIT {
            return Err("its conditions are nested too deeply".to_owned());
        }
        let condition = Self::any(reader);
        reader.depth -= 1;
        condition
    }

    fn any(reader: &mut PathReader) -> Result<Self, String> {
        let mut parts = vec![Self::all(reader)?];
        while operator(reader, "||") {
            parts.push(Self::all(reader)?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(reader: &mut PathReader) -> Result<Self, String> {
        let mut parts = vec![Self::one(reader)?];
        while operator(reader, "&&") {
            parts.push(Self::one(reader)?);
        }
        Ok(Condition::All(parts))
    }

    fn one(reader: &mut PathReader) -> Result<Self, String> {
        reader.skip_blanks();
        if reader.take("!") {
            reader.depth += 1;
            if reader.depth > DEPTH_LIMIT {
                return Err("its conditions are nested too deeply".to_owned());
            }
            let inner = Self::one(reader);
            reader.depth -= 1;
            return Ok(Condition::Not(Box::new(inner?)));
        }
        if reader.take("(") {
            let inner = Self::read(reader)?;
            reader.expect(")")?;
            return Ok(inner);
        }
        let left = Operand::read(reader)?;
        reader.skip_blanks();
        if reader.take("=~") {
            return Ok(Condition::Matches { left, pattern: pattern(reader)? });
        }
        const SIGNS: [(&str, Comparison); 8] = [
            ("===", Comparison::Equal),
            ("!==", Comparison::NotEqual),
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        match SIGNS.into_iter().find(|(sign, _)| reader.take(sign)) {
            Some((_, comparison)) => Ok(Condition::Compare { left, comparison, right: Operand::read(reader)? }),
            None if reader.rest().starts_with([')', '&', '|']) => Ok(Condition::Exists(left)),
            None => Err(format!("the operator before '{}' is not supported", reader.rest())),
        }
    }

    pub(super) fn holds(&self, here: &Json, top: &Json) -> bool {
        match self {
            Condition::Any(parts) => parts.iter().any(|part| part.holds(here, top)),
            Condition::All(parts) => parts.iter().all(|part| part.holds(here, top)),
            Condition::Not(inner) => !inner.holds(here, top),
            Condition::Exists(operand) => operand.value(here, top).is_some(),
            Condition::Matches { left, pattern } => match left.value(here, top) {
                Some(Json::Text(text)) => pattern.0.is_match(&text),
                _ => false,
            },
            Condition::Compare { left, comparison, right } => {
                let (left, right) = (left.value(here, top), right.value(here, top));
                compare(left.as_ref(), *comparison, right.as_ref())
            }
        }
    }
}

fn operator(reader: &mut PathReader, sign: &str) -> bool {
    reader.skip_blanks();
    reader.take(sign)
}

/// `/pattern/` or `/pattern/i`: the whole text has to match.
fn pattern(reader: &mut PathReader) -> Result<Pattern, String> {
    reader.expect("/")?;
    let text = reader.take_while(|letter| letter != '/');
    reader.expect("/")?;
    let flag = if reader.take("i") { "(?i)" } else { "" };
    let compiled = regex::RegexBuilder::new(&format!("^{flag}(?:{text})$")).size_limit(1 << 20).build();
    compiled.map(Pattern).map_err(|_| format!("'{text}' is no regular expression"))
}

impl Operand {
    fn read(reader: &mut PathReader) -> Result<Self, String> {
        reader.skip_blanks();
        for (sign, make) in [("@", Operand::Here as fn(Path) -> Operand), ("$", Operand::Top)] {
            if reader.take(sign) {
                let steps: Vec<Step> = reader.steps()?;
                return Ok(make(Path { lax: true, steps }));
            }
        }
        if reader.rest().starts_with(['\'', '"']) {
            return Ok(Operand::Constant(Json::Text(reader.quoted()?)));
        }
        let word = reader.take_while(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
        match Json::parse(word) {
            Some(constant) => Ok(Operand::Constant(constant)),
            None => Err(format!("'{word}{}' is no value", reader.rest())),
        }
    }

    /// `None` where the path leads nowhere.
    fn value(&self, here: &Json, top: &Json) -> Option<Json> {
        match self {
            Operand::Here(path) => walk::read(path, here, top).map(std::borrow::Cow::into_owned),
            Operand::Top(path) => walk::read(path, top, top).map(std::borrow::Cow::into_owned),
            Operand::Constant(value) => Some(value.clone()),
        }
    }
}

fn compare(left: Option<&Json>, comparison: Comparison, right: Option<&Json>) -> bool {
    use std::cmp::Ordering;
    let order = match (left, right) {
        (Some(Json::Number(a)), Some(Json::Number(b))) => {
            let numbers = a.parse::<f64>().ok().zip(b.parse::<f64>().ok());
            numbers.and_then(|(a, b)| a.partial_cmp(&b))
        }
        (Some(Json::Text(a)), Some(Json::Text(b))) => Some(a.cmp(b)),
        (a, b) if a == b => Some(Ordering::Equal),
        _ => None,
    };
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}
