//! Constants: numbers, strings, dates, intervals.

use super::{Parse, Parser};
use crate::sql::ast::{IntervalLiteral, Literal, Unit};
use crate::sql::token::TokenKind;

impl Parser<'_> {
    pub(super) fn literal(&mut self) -> Parse<Option<Literal>> {
        let Some(kind) = self.peek_kind(0) else { return Ok(None) };
        let literal = match kind {
            TokenKind::Number(number) => Literal::Number(number.clone()),
            TokenKind::Text(_) => return self.texts().map(|text| Some(Literal::Text(text))),
            TokenKind::Hex(bytes) => Literal::Binary(bytes.clone()),
            TokenKind::Word(word) => {
                let text_follows = matches!(self.peek_kind(1), Some(TokenKind::Text(_)));
                match word.to_ascii_uppercase().as_str() {
                    "TRUE" => Literal::Boolean(true),
                    "FALSE" => Literal::Boolean(false),
                    "NULL" | "UNKNOWN" => Literal::Null,
                    "DATE" if text_follows => return self.typed(Literal::Date),
                    "TIME" if text_follows => return self.typed(Literal::Time),
                    "TIMESTAMP" if text_follows => return self.typed(Literal::Timestamp),
                    "INTERVAL" => return self.interval().map(|interval| Some(Literal::Interval(interval))),
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(literal))
    }

    /// Strings that follow each other are one.
    fn texts(&mut self) -> Parse<String> {
        let mut text = self.expect_text()?.0;
        while let Some(TokenKind::Text(more)) = self.peek_kind(0) {
            text.push_str(more);
            self.at += 1;
        }
        Ok(text)
    }

    fn typed(&mut self, make: fn(String) -> Literal) -> Parse<Option<Literal>> {
        self.at += 1;
        Ok(Some(make(self.expect_text()?.0)))
    }

    fn interval(&mut self) -> Parse<IntervalLiteral> {
        self.expect_word("INTERVAL")?;
        let mut negative = self.take_sign("-");
        if !negative {
            self.take_sign("+");
        }
        let (mut text, _) =
            self.expect_text().map_err(|problem| problem.with_hint("An interval is written INTERVAL '10' SECOND."))?;
        if let Some(rest) = text.strip_prefix('-') {
            negative = !negative;
            text = rest.to_owned();
        } else if let Some(rest) = text.strip_prefix('+') {
            text = rest.to_owned();
        }
        let from =
            self.unit().ok_or_else(|| self.expected("a unit of time: YEAR, MONTH, DAY, HOUR, MINUTE or SECOND"))?;
        let precision = self.unit_precision()?;
        let to = if self.take_word("TO") {
            let unit = self.unit().ok_or_else(|| self.expected("a unit of time"))?;
            self.unit_precision()?;
            Some(unit)
        } else {
            None
        };
        Ok(IntervalLiteral { negative, text: text.trim().to_owned(), from, precision, to })
    }

    fn unit_precision(&mut self) -> Parse<Option<u32>> {
        if !self.take_sign("(") {
            return Ok(None);
        }
        let precision = match self.peek_kind(0) {
            Some(TokenKind::Number(digits)) => digits.parse().ok(),
            _ => None,
        };
        let precision = precision.ok_or_else(|| self.expected("a whole number"))?;
        self.at += 1;
        // `SECOND(3, 6)`: leading digits, fraction digits.
        if self.take_sign(",") {
            self.at += 1;
        }
        self.expect_sign(")")?;
        Ok(Some(precision))
    }

    pub(super) fn unit(&mut self) -> Option<Unit> {
        let TokenKind::Word(word) = self.peek_kind(0)? else { return None };
        let unit = match word.to_ascii_uppercase().as_str() {
            "YEAR" | "YEARS" => Unit::Year,
            "QUARTER" | "QUARTERS" => Unit::Quarter,
            "MONTH" | "MONTHS" => Unit::Month,
            "WEEK" | "WEEKS" => Unit::Week,
            "DAY" | "DAYS" => Unit::Day,
            "HOUR" | "HOURS" => Unit::Hour,
            "MINUTE" | "MINUTES" => Unit::Minute,
            "SECOND" | "SECONDS" => Unit::Second,
            _ => return None,
        };
        self.at += 1;
        Some(unit)
    }
}
