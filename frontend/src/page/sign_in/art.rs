//! The picture of the sign-in page: stream lines of an ideal flow around a wheel, computed, not drawn.
//!
//! A cylinder of radius R in a uniform flow with circulation has the stream function
//! `psi = y (1 - R² / r²) - G ln(r / R)`: a line of water is where psi keeps one value.

use leptos::prelude::*;

const RADIUS: f64 = 150.0;
const CIRCULATION: f64 = 92.0;
const SPADES: u32 = 16;
const SPOKES: u32 = 8;

/// Numbers of the lines shown.
const LEVELS: std::ops::RangeInclusive<i32> = -30..=29;

/// Lines stand at half steps: the one of level zero ends on the wheel.
fn level(number: i32) -> f64 {
    f64::from(number) * 22.0 + 11.0
}

#[component]
pub fn Art() -> impl IntoView {
    let lines: Vec<String> = LEVELS.map(|number| stream_line(level(number))).collect();
    view! {
        <svg viewBox="-420 -420 840 840" preserveAspectRatio="xMidYMid slice" focusable="false">
            <g class="flow">{lines.into_iter().map(|line| view! { <path d=line></path> }).collect_view()}</g>
            <g class="wheel">
                <circle r="112"></circle>
                <circle r="122"></circle>
                <circle r="143" class="rim"></circle>
                <circle r="20"></circle>
                <circle r="7"></circle>
                <path d=spokes()></path>
                <path class="paddle" d=paddles()></path>
            </g>
        </svg>
    }
    .into_any()
}

/// The height of the line `psi = level` at x, searched from where it is far away. Above zero is up.
fn height(x: f64, level: f64, above: bool) -> f64 {
    let psi = |y: f64| {
        let square = (x * x + y * y).max(1.0);
        y * (1.0 - RADIUS * RADIUS / square) - CIRCULATION * (square.sqrt() / RADIUS).ln()
    };
    // Beside the wheel psi grows with y throughout, above and below it on each side: halving the interval finds the place.
    let beside = x.abs() >= RADIUS;
    let edge = if beside { 0.0 } else { (RADIUS * RADIUS - x * x).sqrt() };
    let (mut low, mut high) = match (beside, above) {
        (true, _) => (-2_400.0, 2_400.0),
        (false, true) => (edge, 2_400.0),
        (false, false) => (-2_400.0, -edge),
    };
    for _ in 0..48 {
        let middle = f64::midpoint(low, high);
        if psi(middle) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

fn stream_line(level: f64) -> String {
    let above = level > 0.0;
    let mut out = String::new();
    for step in 0..=124 {
        let x = -620.0 + f64::from(step) * 10.0;
        out.push(if step == 0 { 'M' } else { 'L' });
        out.push_str(&format!("{x:.0} {:.1}", -height(x, level, above)));
    }
    out
}

fn spokes() -> String {
    (0..SPOKES).map(|number| ray(f64::from(number) / f64::from(SPOKES) + 0.032, 20.0, 112.0)).collect()
}

fn paddles() -> String {
    (0..SPADES)
        .map(|number| {
            let turn = f64::from(number) / f64::from(SPADES);
            let (x, y) = point(turn, 122.0);
            let (to_x, to_y) = point(turn + 0.021, 158.0);
            format!("M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}")
        })
        .collect()
}

fn ray(turn: f64, from: f64, to: f64) -> String {
    let ((x, y), (to_x, to_y)) = (point(turn, from), point(turn, to));
    format!("M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}")
}

fn point(turn: f64, radius: f64) -> (f64, f64) {
    let angle = turn * std::f64::consts::TAU;
    (radius * angle.cos(), radius * angle.sin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_runs_through_the_wheel() {
        for number in LEVELS {
            let level = level(number);
            for step in 0..=124 {
                let x = -620.0 + f64::from(step) * 10.0;
                let y = height(x, level, level > 0.0);
                assert!(x.hypot(y) > RADIUS - 1.0, "level {level} at {x}: {y}");
            }
        }
    }

    #[test]
    fn every_line_spans_the_picture() {
        let line = stream_line(220.0);
        assert!(line.starts_with("M-620 ") && line.contains("L620 "));
        assert!(!line.contains("NaN"));
    }
}
