//! A small line without axes: the shape of the last minutes.

use leptos::prelude::*;

const WIDTH: f64 = 110.0;
const HEIGHT: f64 = 22.0;
const EDGE: f64 = 2.0;

#[component]
pub fn Spark(#[prop(into)] values: Signal<Vec<f64>>) -> impl IntoView {
    let line = Memo::new(move |_| values.with(|values| path(values)));
    view! {
        <svg class="spark" viewBox="0 0 110 22" preserveAspectRatio="none" aria-hidden="true">
            <path class="spark-area" d=move || line.with(|line| area(line))></path>
            <path d=move || line.get()></path>
        </svg>
    }
    .into_any()
}

/// Left to right over the whole width; the scale starts at zero. Empty below two points.
fn path(values: &[f64]) -> String {
    let known: Vec<f64> = values.iter().map(|value| if value.is_finite() { value.max(0.0) } else { 0.0 }).collect();
    if known.len() < 2 {
        return String::new();
    }
    let top = known.iter().copied().fold(0.0, f64::max);
    let step = WIDTH / (known.len() - 1) as f64;
    let mut out = String::with_capacity(known.len() * 10);
    for (index, value) in known.iter().enumerate() {
        let share = if top > 0.0 { value / top } else { 0.0 };
        let y = HEIGHT - EDGE - share * (HEIGHT - 2.0 * EDGE);
        out.push(if index == 0 { 'M' } else { 'L' });
        out.push_str(&format!("{:.1} {y:.1}", index as f64 * step));
    }
    out
}

fn area(line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("{line}L{WIDTH} {HEIGHT}L0 {HEIGHT}z") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_spans_the_width_and_zero_is_at_the_foot() {
        assert_eq!(path(&[0.0, 10.0, 5.0]), "M0.0 20.0L55.0 2.0L110.0 11.0");
        assert_eq!(area("M0 1"), "M0 1L110 22L0 22z");
    }

    #[test]
    fn nothing_to_draw_draws_nothing() {
        assert_eq!(path(&[]), "");
        assert_eq!(path(&[3.0]), "");
        assert_eq!(area(""), "");
        assert_eq!(path(&[0.0, f64::NAN]), "M0.0 20.0L110.0 20.0");
    }
}
