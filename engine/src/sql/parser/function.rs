//! `CREATE TEMPORARY FUNCTION`: a macro in SQL, or a function of a module.

use super::{Parse, Parser};
use crate::sql::ast::{CreateFunction, FunctionBody, Macro};
use crate::sql::{Problem, Span};

impl Parser<'_> {
    /// Behind `FUNCTION`.
    pub(super) fn create_function(&mut self, temporary: bool, start: Span) -> Parse<CreateFunction> {
        if !temporary {
            let problem =
                Problem::error("unsupported", "CREATE FUNCTION is not supported in a script.", self.since(start));
            return Err(problem.with_hint("Write CREATE TEMPORARY FUNCTION, or make the function in the catalog."));
        }
        let if_not_exists = self.take_words(&["IF", "NOT", "EXISTS"]);
        let name = self.name("the name of the function")?;
        let body = if self.at_sign("(") {
            FunctionBody::Macro(Box::new(self.macro_definition()?))
        } else if self.take_word("AS") {
            self.module_function()?
        } else {
            return Err(self.expected("'(' with parameters, or AS"));
        };
        Ok(CreateFunction { name, if_not_exists, body })
    }

    /// `(x INT, y INT) RETURNS INT RETURN x + y`
    pub(super) fn macro_definition(&mut self) -> Parse<Macro> {
        self.expect_sign("(")?;
        let mut params = Vec::new();
        if !self.take_sign(")") {
            params = self.separated(|parser| {
                let name = parser.ident("the name of a parameter")?;
                Ok((name, parser.data_type()?.ty))
            })?;
            self.expect_sign(")")?;
        }
        let returns = if self.take_word("RETURNS") { Some(self.data_type()?.ty) } else { None };
        if self.at_word("LANGUAGE") || self.at_word("AS") {
            let problem = Problem::error("unsupported", "Parameters are of macros in SQL only.", self.here());
            return Err(
                problem.with_hint("A function of a module takes what the module says: name AS 'entry' LANGUAGE WASM.")
            );
        }
        self.expect_word("RETURN")?;
        Ok(Macro { params, returns, body: self.expr()? })
    }

    /// `'entry' LANGUAGE WASM USING FILE 'path'`, behind AS.
    fn module_function(&mut self) -> Parse<FunctionBody> {
        let start = self.here();
        let (entry, _) = self.expect_text()?;
        for language in ["JAVA", "SCALA", "PYTHON"] {
            if self.at_words(&["LANGUAGE", language]) {
                let message = format!("Functions in {language} are not supported.");
                let problem = Problem::error("unsupported", message, self.here());
                return Err(problem.with_hint("Functions are WebAssembly modules (LANGUAGE WASM) or macros in SQL."));
            }
        }
        if self.at_words(&["USING", "JAR"]) {
            return Err(Problem::error("unsupported", "Functions of a JAR are not supported.", self.here()));
        }
        self.expect_word("LANGUAGE")?;
        self.expect_word("WASM")?;
        self.expect_word("USING")?;
        self.expect_word("FILE")?;
        let (file, _) = self.expect_text()?;
        Ok(FunctionBody::Module { entry, file, span: self.since(start) })
    }
}
