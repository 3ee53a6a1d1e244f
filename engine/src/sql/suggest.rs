//! "Did you mean": the known name nearest to a wrong one.

/// The nearest name within a third of the word's length in edits, differing case counting least.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3) * 2;
    let scored = known.filter(|candidate| *candidate != word).map(|candidate| (distance(word, candidate), candidate));
    scored.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

/// Twice the Levenshtein distance with swaps of neighbours, a change of case counting half.
fn distance(left: &str, right: &str) -> usize {
    const LONGEST: usize = 100;
    let left: Vec<char> = left.chars().take(LONGEST).collect();
    let right: Vec<char> = right.chars().take(LONGEST).collect();
    let mut rows = vec![(0..=right.len()).map(|column| column * 2).collect::<Vec<usize>>()];
    for (i, from) in left.iter().enumerate() {
        let mut row = vec![(i + 1) * 2];
        for (j, to) in right.iter().enumerate() {
            let above = rows.get(i).map_or(&[][..], Vec::as_slice);
            let at = |index: usize| above.get(index).copied().unwrap_or(usize::MAX / 2);
            let cost = match from == to {
                true => 0,
                false if from.eq_ignore_ascii_case(to) => 1,
                false => 2,
            };
            let mut best = (at(j) + cost).min(at(j + 1) + 2).min(row.last().copied().unwrap_or(0) + 2);
            let swapped = i > 0 && j > 0 && left.get(i - 1) == Some(to) && right.get(j - 1) == Some(from);
            if swapped {
                best = best.min(rows.get(i - 1).and_then(|row| row.get(j - 1)).copied().unwrap_or(usize::MAX / 2) + 2);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
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
    }
}
