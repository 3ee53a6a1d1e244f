//! Text → [`Path`].

use super::path::{Path, Step};
use super::path_filter::Condition;

/// Steps of one path at most.
const MOST_STEPS: usize = 200;

impl Path {
    /// Why the text is no path, in words.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        let (lax, text) = mode(text);
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        let steps = match text.strip_prefix('$') {
            Some(steps) => steps.to_owned(),
            None => format!(".{text}"),
        };
        let mut reader = PathReader::new(&steps);
        let steps = reader.steps()?;
        match reader.rest() {
            "" => Ok(Path { lax, steps }),
            rest => Err(format!("'{rest}' is not understood")),
        }
    }
}

fn mode(text: &str) -> (bool, &str) {
    let trimmed = text.trim_start();
    for (word, lax) in [("lax", true), ("strict", false)] {
        if let Some((head, rest)) = trimmed.split_at_checked(word.len())
            && head.eq_ignore_ascii_case(word)
            && rest.starts_with(char::is_whitespace)
        {
            return (lax, rest);
        }
    }
    (false, text)
}

/// Reads steps from a text; conditions read paths with it as well.
pub(super) struct PathReader<'a> {
    text: &'a str,
    at: usize,
    /// Conditions within conditions.
    pub(super) depth: usize,
}

impl<'a> PathReader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        PathReader { text, at: 0, depth: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    pub(super) fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), String> {
        self.skip_blanks();
        if self.take(sign) { Ok(()) } else { Err(format!("'{sign}' is missing before '{}'", self.rest())) }
    }

    /// Letters while `inside` holds.
    pub(super) fn take_while(&mut self, inside: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|letter| !inside(letter)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Steps up to what cannot be one.
    pub(super) fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        while self.rest().starts_with(['.', '[']) {
            if steps.len() >= MOST_STEPS {
                return Err(format!("it has more than {MOST_STEPS} steps"));
            }
            if self.take("..") {
                steps.push(Step::Deep);
                let step = if self.take("[") { self.in_brackets()? } else { self.named()? };
                steps.push(step);
            } else if self.take("[") {
                steps.push(self.in_brackets()?);
            } else {
                self.take(".");
                let step = if self.take("[") { self.in_brackets()? } else { self.named()? };
                steps.push(step);
            }
        }
        Ok(steps)
    }

    fn named(&mut self) -> Result<Step, String> {
        if self.take("*") {
            return Ok(Step::All);
        }
        let in_filter = self.depth > 0;
        let ends = |letter: char| {
            ".[(".contains(letter) || letter.is_whitespace() || (in_filter && "=!<>)&|,]".contains(letter))
        };
        let name = self.take_while(|letter| !ends(letter));
        if name.is_empty() {
            return Err("a name is missing behind '.'".to_owned());
        }
        if self.take("(") {
            self.expect(")")?;
            return match name {
                "length" | "size" => Ok(Step::Length),
                _ => Err(format!("the function {name}() is not supported in paths")),
            };
        }
        if !in_filter && self.rest().starts_with(char::is_whitespace) && !self.rest().trim().is_empty() {
            return Err("a name with a blank stands in brackets, as ['a b']".to_owned());
        }
        Ok(Step::Names(vec![name.to_owned()]))
    }

    /// The opening bracket is taken.
    fn in_brackets(&mut self) -> Result<Step, String> {
        self.skip_blanks();
        let step = if self.take("*") {
            Step::All
        } else if self.take("?") {
            self.expect("(")?;
            let condition = Condition::read(self)?;
            self.expect(")")?;
            Step::Filter(condition)
        } else if self.rest().starts_with(['\'', '"']) {
            let mut names = vec![self.quoted()?];
            while self.comma() {
                names.push(self.quoted()?);
            }
            Step::Names(names)
        } else {
            self.numbers()?
        };
        self.expect("]")?;
        Ok(step)
    }

    fn comma(&mut self) -> bool {
        self.skip_blanks();
        let found = self.take(",");
        self.skip_blanks();
        found
    }

    /// A text in quotes of either kind; a backslash takes the next letter as it is.
    pub(super) fn quoted(&mut self) -> Result<String, String> {
        let Some(quote @ ('\'' | '"')) = self.rest().chars().next() else {
            return Err(format!("a name in quotes is missing before '{}'", self.rest()));
        };
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                letter if letter == quote => {
                    self.at += at + quote.len_utf8();
                    return Ok(text);
                }
                letter => text.push(letter),
            }
        }
        Err("a quote is not closed".to_owned())
    }

    fn number(&mut self) -> Result<Option<i64>, String> {
        self.skip_blanks();
        let digits = self.take_while(|letter| letter == '-' || letter.is_ascii_digit());
        self.skip_blanks();
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().map(Some).map_err(|_| format!("'{digits}' is no index"))
    }

    fn numbers(&mut self) -> Result<Step, String> {
        let first = self.number()?;
        if self.take(":") {
            let to = self.number()?;
            return Ok(Step::Slice { from: first, to });
        }
        let mut indices = vec![first.ok_or_else(|| format!("an index is missing before '{}'", self.rest()))?];
        while self.comma() {
            indices.push(self.number()?.ok_or_else(|| "an index is missing behind ','".to_owned())?);
        }
        Ok(Step::Indices(indices))
    }
}
