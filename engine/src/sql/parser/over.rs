//! `OVER (…)` and the WINDOW clause.

use super::{Parse, Parser};
use crate::sql::ast::{Expr, Frame, FrameBound, Ident, Over};

impl Parser<'_> {
    /// What follows the word OVER.
    pub(super) fn over(&mut self) -> Parse<Over> {
        if self.at_sign("(") {
            return self.window_specification();
        }
        let base = self.ident("a window name")?;
        Ok(Over { base: Some(base), partition: Vec::new(), order: Vec::new(), frame: None })
    }

    /// `WINDOW w AS (…), …` behind the word WINDOW.
    pub(super) fn named_windows(&mut self) -> Parse<Vec<(Ident, Over)>> {
        self.separated(|parser| {
            let name = parser.ident("a window name")?;
            parser.expect_word("AS")?;
            Ok((name, parser.window_specification()?))
        })
    }

    fn window_specification(&mut self) -> Parse<Over> {
        self.expect_sign("(")?;
        let clause = ["PARTITION", "ORDER", "ROWS", "RANGE"].iter().any(|word| self.at_word(word)) || self.at_sign(")");
        let base = if clause { None } else { Some(self.ident("PARTITION BY, ORDER BY or a window name")?) };
        let partition = if self.take_words(&["PARTITION", "BY"]) { self.separated(Parser::expr)? } else { Vec::new() };
        let order = if self.take_words(&["ORDER", "BY"]) { self.separated(Parser::order_item)? } else { Vec::new() };
        let frame = if self.at_word("ROWS") || self.at_word("RANGE") { Some(self.frame()?) } else { None };
        self.expect_sign(")")?;
        Ok(Over { base, partition, order, frame })
    }

    fn frame(&mut self) -> Parse<Frame> {
        let rows = self.take_word("ROWS");
        if !rows {
            self.expect_word("RANGE")?;
        }
        if self.take_word("BETWEEN") {
            let start = self.frame_bound()?;
            self.expect_word("AND")?;
            return Ok(Frame { rows, start, end: self.frame_bound()? });
        }
        Ok(Frame { rows, start: self.frame_bound()?, end: FrameBound::CurrentRow })
    }

    fn frame_bound(&mut self) -> Parse<FrameBound> {
        if self.take_words(&["UNBOUNDED", "PRECEDING"]) {
            return Ok(FrameBound::UnboundedPreceding);
        }
        if self.take_words(&["UNBOUNDED", "FOLLOWING"]) {
            return Ok(FrameBound::UnboundedFollowing);
        }
        if self.take_words(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::CurrentRow);
        }
        // The AND of BETWEEN must not be taken for one of the expression.
        let distance: Expr = self.operand()?;
        if self.take_word("PRECEDING") {
            Ok(FrameBound::Preceding(distance))
        } else {
            self.expect_word("FOLLOWING")?;
            Ok(FrameBound::Following(distance))
        }
    }
}
