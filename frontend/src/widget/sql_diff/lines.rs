//! Two texts line by line: what stayed, what went, what came.

/// One row of a comparison: a line on the left, one on the right, or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub left: Option<Line>,
    pub right: Option<Line>,
    pub same: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub number: usize,
    pub text: String,
}

/// Lines of the one and of the other that are not in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub added: usize,
    pub removed: usize,
}

/// Texts with more lines than this on a side are compared as a whole: the table would not fit.
const LONGEST: usize = 4_000;

pub fn tally(left: &str, right: &str) -> Tally {
    let mut tally = Tally::default();
    for pair in pairs(left, right).iter().filter(|pair| !pair.same) {
        tally.removed += usize::from(pair.left.is_some());
        tally.added += usize::from(pair.right.is_some());
    }
    tally
}

/// The two texts side by side. A changed line stands beside what it became.
pub fn pairs(left: &str, right: &str) -> Vec<Pair> {
    let old: Vec<&str> = left.lines().collect();
    let new: Vec<&str> = right.lines().collect();
    let common = if old.len() > LONGEST || new.len() > LONGEST { Vec::new() } else { common(&old, &new) };

    let mut rows = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (old_at, new_at) in common.into_iter().chain([(old.len(), new.len())]) {
        while i < old_at || j < new_at {
            let left = (i < old_at).then(|| line(&old, i)).flatten();
            let right = (j < new_at).then(|| line(&new, j)).flatten();
            i = (i + 1).min(old_at);
            j = (j + 1).min(new_at);
            rows.push(Pair { left, right, same: false });
        }
        if let (Some(left), Some(right)) = (line(&old, i), line(&new, j)) {
            rows.push(Pair { left: Some(left), right: Some(right), same: true });
        }
        i += 1;
        j += 1;
    }
    rows
}

/// The changed rows with `around` rows before and after each; the numbers are how many rows were left out.
pub fn folded(rows: Vec<Pair>, around: usize) -> Vec<Result<Pair, usize>> {
    let changed: Vec<usize> = rows.iter().enumerate().filter(|(_, row)| !row.same).map(|(index, _)| index).collect();
    let mut shown = Vec::new();
    let mut hidden = 0;
    for (index, row) in rows.into_iter().enumerate() {
        let next = changed.partition_point(|at| *at + around < index);
        let near = changed.get(next).is_some_and(|at| at.saturating_sub(around) <= index);
        if near {
            if hidden > 0 {
                shown.push(Err(hidden));
                hidden = 0;
            }
            shown.push(Ok(row));
        } else {
            hidden += 1;
        }
    }
    if hidden > 0 {
        shown.push(Err(hidden));
    }
    shown
}

fn line(lines: &[&str], index: usize) -> Option<Line> {
    lines.get(index).map(|text| Line { number: index + 1, text: (*text).to_owned() })
}

/// Places of a longest common subsequence, ascending on both sides.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);

    // length[i][j] is the longest common subsequence of a[i..] and b[j..], in one vector.
    let width = b.len() + 1;
    let mut length = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            length[i * width + j] = if a[i] == b[j] {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }

    let mut places: Vec<(usize, usize)> = (0..start).map(|at| (at, at)).collect();
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            places.push((start + i, start + j));
            i += 1;
            j += 1;
        } else if length[(i + 1) * width + j] >= length[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    places.extend((0..end).rev().map(|back| (old.len() - 1 - back, new.len() - 1 - back)));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(left: &str, right: &str) -> Vec<String> {
        let text = |line: Option<Line>| line.map(|line| format!("{}{}", line.number, line.text)).unwrap_or_default();
        pairs(left, right)
            .into_iter()
            .map(|pair| {
                let mark = if pair.same { '=' } else { '!' };
                format!("{}{mark}{}", text(pair.left), text(pair.right))
            })
            .collect()
    }

    #[test]
    fn a_changed_line_stands_beside_what_it_became() {
        assert_eq!(drawn("a\nb\nc", "a\nx\nc"), ["1a=1a", "2b!2x", "3c=3c"]);
        assert_eq!(tally("a\nb\nc", "a\nx\nc"), Tally { added: 1, removed: 1 });
    }

    #[test]
    fn lines_that_only_one_side_has() {
        assert_eq!(drawn("a\nc", "a\nb\nc\nd"), ["1a=1a", "!2b", "2c=3c", "!4d"]);
        assert_eq!(drawn("a\nb", ""), ["1a!", "2b!"]);
        assert_eq!(tally("", "a\nb"), Tally { added: 2, removed: 0 });
    }

    #[test]
    fn same_texts_have_no_difference() {
        assert_eq!(tally("a\nb\n", "a\nb\n"), Tally::default());
        assert!(pairs("", "").is_empty());
    }

    #[test]
    fn moved_lines_keep_the_longest_common_part() {
        assert_eq!(tally("a\nb\nc\nd", "b\nc\nd\na"), Tally { added: 1, removed: 1 });
    }

    #[test]
    fn far_away_lines_are_folded() {
        let left: String = (0..20).map(|n| format!("{n}\n")).collect();
        let right = left.replace("10\n", "ten\n");
        let rows = folded(pairs(&left, &right), 2);
        assert_eq!(rows.len(), 7);
        assert_eq!(rows.first(), Some(&Err(8)));
        assert_eq!(rows.last(), Some(&Err(7)));
    }

    #[test]
    fn nothing_is_shown_where_nothing_changed() {
        assert_eq!(folded(pairs("a\nb", "a\nb"), 3), [Err(2)]);
    }
}
