//! Patterns of one batch, compiled.

use std::collections::HashMap;

/// What texts were compiled to; `None` where a text is no pattern. Nearly always it is one text.
pub(super) struct Compiled<T> {
    all: Vec<(String, Option<T>)>,
    places: HashMap<String, usize>,
    last: usize,
}

impl<T> Default for Compiled<T> {
    fn default() -> Self {
        Compiled { all: Vec::new(), places: HashMap::new(), last: 0 }
    }
}

impl<T> Compiled<T> {
    pub(super) fn get(&mut self, text: &str, compile: impl FnOnce(&str) -> Option<T>) -> Option<&mut T> {
        if self.all.get(self.last).is_none_or(|(last, _)| last != text) {
            self.last = match self.places.get(text) {
                Some(place) => *place,
                None => {
                    self.places.insert(text.to_owned(), self.all.len());
                    self.all.push((text.to_owned(), compile(text)));
                    self.all.len() - 1
                }
            };
        }
        self.all.get_mut(self.last)?.1.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::Compiled;

    #[test]
    fn each_text_is_compiled_once() {
        let (mut compiled, mut times) = (Compiled::<i32>::default(), 0);
        let mut number = |text: &str| {
            let compile = |text: &str| {
                times += 1;
                text.parse().ok()
            };
            compiled.get(text, compile).copied()
        };
        let found = ["1", "1", "x", "2", "x", "1"].map(&mut number);
        assert_eq!(found, [Some(1), Some(1), None, Some(2), None, Some(1)]);
        assert_eq!(times, 3);
    }
}
