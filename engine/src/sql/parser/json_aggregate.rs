//! `JSON_OBJECTAGG(KEY k VALUE v NULL ON NULL)` and `JSON_ARRAYAGG(v ABSENT ON NULL)`: ordinary calls with what becomes
//! of NULLs.

use super::{Parse, Parser};
use crate::sql::Span;
use crate::sql::ast::{Argument, Call, Expr, NullTreatment};

impl Parser<'_> {
    pub(super) fn json_aggregate(&mut self, upper: &str, start: Span) -> Parse<Expr> {
        let name = self.special_name()?;
        self.expect_sign("(")?;
        let mut args = Vec::new();
        if upper == "JSON_OBJECTAGG" {
            // KEY may also be a column.
            if self.at_word("KEY") && !self.word_ahead(1, "VALUE") && !self.sign_ahead(1, ":") {
                self.at += 1;
            }
            args.push(self.expr()?);
            if !self.take_sign(":") {
                self.expect_word("VALUE")?;
            }
        }
        args.push(self.expr()?);
        let nulls = self.on_null();
        self.expect_sign(")")?;
        let args = args.into_iter().map(|value| Argument { name: None, value }).collect();
        let mut call = Call::new(name, args);
        call.nulls = nulls;
        self.call_suffix(&mut call)?;
        self.call_node(call, start)
    }

    /// `NULL ON NULL`, `ABSENT ON NULL`, or nothing.
    pub(super) fn on_null(&mut self) -> Option<NullTreatment> {
        if self.take_words(&["NULL", "ON", "NULL"]) {
            Some(NullTreatment::Kept)
        } else if self.take_words(&["ABSENT", "ON", "NULL"]) {
            Some(NullTreatment::LeftOut)
        } else {
            None
        }
    }
}
