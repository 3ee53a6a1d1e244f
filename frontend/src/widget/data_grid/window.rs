//! Which rows of a long list are drawn: a pure function of where it is scrolled to.

/// Browsers cap the height of an element; below this all of them draw right.
const TALLEST: f64 = 8_000_000.0;

/// The rows to draw and the empty space around them, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// First row drawn.
    pub(crate) first: usize,
    /// One past the last row drawn.
    pub(crate) end: usize,
    pub(crate) above: f64,
    pub(crate) below: f64,
}

/// What is seen of `rows` rows of `row_height` when scrolled by `top`, with `spare` rows drawn before and after.
///
/// `above + drawn + below` is the height of all rows, or `TALLEST` where that is less: the scroll bar is then scaled,
/// so that its end still shows the last row.
pub(crate) fn window(top: f64, view_height: f64, row_height: f64, rows: usize, spare: usize) -> Window {
    if rows == 0 || row_height <= 0.0 {
        return Window { first: 0, end: 0, above: 0.0, below: 0.0 };
    }
    let full = rows as f64 * row_height;
    let height = full.min(TALLEST);
    let view = view_height.clamp(0.0, height);
    let room = height - view;
    let top = top.clamp(0.0, room);
    // Where the rows would be scrolled to if nothing were scaled.
    let place = if room > 0.0 { top * ((full - view) / room) } else { 0.0 };

    let seen_first = (place / row_height).floor() as usize;
    let seen_end = ((place + view) / row_height).ceil() as usize;
    let first = seen_first.saturating_sub(spare);
    let end = (seen_end + spare).min(rows);
    let drawn = (end - first) as f64 * row_height;
    let above = (top - (place - first as f64 * row_height)).clamp(0.0, (height - drawn).max(0.0));
    Window { first, end, above, below: (height - drawn - above).max(0.0) }
}

/// Where to scroll to so that `row` is seen, or nothing where it is seen already.
pub(crate) fn reveal(row: usize, top: f64, view_height: f64, row_height: f64, rows: usize) -> Option<f64> {
    let full = rows as f64 * row_height;
    let height = full.min(TALLEST);
    let scale = if full > view_height { (height - view_height).max(1.0) / (full - view_height) } else { 1.0 };
    let place = top / scale;
    let start = row as f64 * row_height;
    if start < place {
        Some(start * scale)
    } else if start + row_height > place + view_height {
        Some((start + row_height - view_height).max(0.0) * scale)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_is_seen_and_a_few_more() {
        let drawn = window(2600.0, 260.0, 26.0, 100_000, 5);
        assert_eq!((drawn.first, drawn.end), (95, 115));
        assert_eq!(drawn.above, 95.0 * 26.0);
        let height = drawn.above + 20.0 * 26.0 + drawn.below;
        assert_eq!(height, 2_600_000.0);
    }

    #[test]
    fn stays_within_the_list_at_both_ends() {
        assert_eq!(window(-50.0, 260.0, 26.0, 100, 5).first, 0);
        let last = window(1e9, 260.0, 26.0, 100, 5);
        assert_eq!(last.end, 100);
        assert_eq!(last.below, 0.0);
        assert_eq!(window(0.0, 260.0, 26.0, 3, 5), Window { first: 0, end: 3, above: 0.0, below: 0.0 });
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(window(10.0, 260.0, 26.0, 0, 5), Window { first: 0, end: 0, above: 0.0, below: 0.0 });
    }

    #[test]
    fn a_list_taller_than_browsers_allow_can_be_scrolled_to_its_end() {
        let rows = 5_000_000;
        let first = window(0.0, 260.0, 26.0, rows, 5);
        assert_eq!(first.first, 0);
        let last = window(TALLEST - 260.0, 260.0, 26.0, rows, 5);
        assert_eq!(last.end, rows);
        assert!(last.above + (last.end - last.first) as f64 * 26.0 + last.below <= TALLEST + 0.5);
        // The last row ends where the scroll area ends.
        assert!(last.below < 0.5);
    }

    #[test]
    fn every_row_is_seen_somewhere() {
        let rows = 1_000;
        let mut seen = vec![false; rows];
        let mut top = 0.0;
        while top <= rows as f64 * 26.0 {
            let drawn = window(top, 260.0, 26.0, rows, 0);
            seen[drawn.first..drawn.end].fill(true);
            top += 130.0;
        }
        assert!(seen.into_iter().all(|row| row));
    }

    #[test]
    fn reveals_a_row_with_the_least_scrolling() {
        assert_eq!(reveal(5, 0.0, 260.0, 26.0, 100), None);
        assert_eq!(reveal(20, 0.0, 260.0, 26.0, 100), Some(21.0 * 26.0 - 260.0));
        assert_eq!(reveal(3, 500.0, 260.0, 26.0, 100), Some(78.0));
    }
}
