//! "Did you mean": the known name nearest to a wrong one.

/// The nearest name within a third of the word's length in edits, differing case counting least.
///
/// A team may have thousands of names: what cannot be nearer than the nearest so far is left as soon as that is seen.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = letters(word);
    let mut rows = Rows::default();
    let mut limit = (word.len() / 3).clamp(1, 3) * 2;
    let mut best: Option<&str> = None;
    for candidate in known {
        let other = letters(candidate);
        if other == word {
            continue;
        }
        let Some(distance) = rows.distance(&word, &other, limit) else { continue };
        if distance < limit || best.is_none_or(|best| candidate < best) {
            best = Some(candidate);
        }
        limit = distance;
    }
    best
}

fn letters(text: &str) -> Vec<char> {
    const LONGEST: usize = 100;
    text.chars().take(LONGEST).collect()
}

const FAR: usize = usize::MAX / 2;

/// The last three rows of the table of distances, used again for each candidate.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    above: Vec<usize>,
    row: Vec<usize>,
}

impl Rows {
    /// Twice the Levenshtein distance with swaps of neighbours, a change of case counting half. `None` beyond the limit.
    fn distance(&mut self, left: &[char], right: &[char], limit: usize) -> Option<usize> {
        // Cells further from the diagonal than this many edits are beyond the limit.
        let width = limit / 2;
        if left.len().abs_diff(right.len()) > width {
            return None;
        }
        self.above.clear();
        self.above.extend((0..=right.len()).map(|column| column * 2));
        for (i, from) in left.iter().enumerate() {
            self.row.clear();
            self.row.resize(right.len() + 1, FAR);
            if let Some(first) = self.row.first_mut() {
                *first = (i + 1) * 2;
            }
            let mut nearest = if i < width { (i + 1) * 2 } else { FAR };
            let band = i.saturating_sub(width)..(i + width + 1).min(right.len());
            for (j, to) in right.iter().enumerate().take(band.end).skip(band.start) {
                let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(FAR);
                let cost = match from == to {
                    true => 0,
                    false if from.eq_ignore_ascii_case(to) => 1,
                    false => 2,
                };
                let mut best = (at(&self.above, j) + cost).min(at(&self.above, j + 1) + 2).min(at(&self.row, j) + 2);
                let swapped = i > 0 && j > 0 && left.get(i - 1) == Some(to) && right.get(j - 1) == Some(from);
                if swapped {
                    best = best.min(at(&self.before, j - 1) + 2);
                }
                if let Some(cell) = self.row.get_mut(j + 1) {
                    *cell = best;
                }
                nearest = nearest.min(best);
            }
            // A swap reaches back two rows, at the price of one edit.
            if nearest > limit + 2 {
                return None;
            }
            std::mem::swap(&mut self.before, &mut self.above);
            std::mem::swap(&mut self.above, &mut self.row);
        }
        self.above.last().copied().filter(|distance| *distance <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn case_and_swapped_letters_are_near_and_other_words_are_not() {
        let known = ["id", "user_id", "price", "STRING"];
        assert_eq!(nearest("ID", known.into_iter()), Some("id"));
        assert_eq!(nearest("pirce", known.into_iter()), Some("price"));
        assert_eq!(nearest("usr_id", known.into_iter()), Some("user_id"));
        assert_eq!(nearest("nope", known.into_iter()), None);
        assert_eq!(nearest("id", ["id"].into_iter()), None);
    }

    #[test]
    fn of_equally_near_names_the_first_in_order_is_taken() {
        assert_eq!(nearest("table_4", ["table_9", "table_1", "table_42"].into_iter()), Some("table_1"));
        assert_eq!(nearest("table_4", ["tables", "table_44", "other_4"].into_iter()), Some("table_44"));
        assert_eq!(nearest("abcdef", ["bacdef", "abcdefgh", "abdcef"].into_iter()), Some("abdcef"));
    }
}
