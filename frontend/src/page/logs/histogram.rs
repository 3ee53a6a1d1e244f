//! Lines over time by level, with what happened to jobs meanwhile. Dragging over it narrows the time.

use leptos::prelude::*;
use leptos::{ev, html};
use millrace_wire::log_search::{LogCounts, LogHistogram};
use millrace_wire::overview::OverviewEvent;
use millrace_wire::page::Page;

use super::question::{Question, set_bounds};
use crate::address::use_address;
use crate::api;
use crate::clock::local;
use crate::format::number::{counted, grouped};
use crate::i18n::logs as text;
use crate::load::{Loaded, load};

const HEIGHT: f64 = 72.0;
/// Shorter than this is a click and no drag.
const LEAST_DRAG: f64 = 0.01;
/// Marks that fit beside each other; the list below the bars for screen readers holds no more either.
const MOST_MARKS: usize = 40;

#[component]
pub(super) fn Legend() -> impl IntoView {
    let entry = |colour: &'static str, words: &'static str| {
        view! { <li><i class="swatch swatch-block" style=format!("--series:var({colour})")></i>{words}</li> }
    };
    view! {
        <ul class="legend">
            {entry("--bad-mark", text::error())}{entry("--warn-mark", text::warn())}{entry("--chart-quiet", text::other())}
        </ul>
    }
    .into_any()
}

#[component]
pub(super) fn Histogram(
    counts: Loaded<LogCounts>,
    question: Memo<Question>,
    team: StoredValue<String>,
) -> impl IntoView {
    let address = use_address();
    let marks = load(
        move || question.with(|question| question.time.clone()),
        move |time| {
            let (from, to) = time.bounds();
            let (from, to) = (from.to_string(), to.to_string());
            let path = team.with_value(|team| api::path::team(team, "logs/marks"));
            let path = api::path::with_query(&path, &[("from", &from), ("to", &to)]);
            async move { api::get::<Page<OverviewEvent>>(&path).await.map(|page| page.items) }
        },
    );
    let node = NodeRef::<html::Div>::new();
    // Parts of the width, from 0 to 1: where a drag began, and where it is.
    let drag = RwSignal::new(None::<(f64, f64)>);
    let place = move |event: &ev::PointerEvent| {
        let node = node.get_untracked()?;
        let around = node.get_bounding_client_rect();
        (around.width() > 0.0).then(|| ((f64::from(event.client_x()) - around.left()) / around.width()).clamp(0.0, 1.0))
    };
    let down = move |event: ev::PointerEvent| drag.set(place(&event).map(|at| (at, at)));
    let moved = move |event: ev::PointerEvent| {
        if let Some(at) = place(&event) {
            drag.update(|drag| *drag = drag.map(|(from, _)| (from, at)));
        }
    };
    let up = move |_: ev::PointerEvent| {
        let Some((one, other)) = drag.get_untracked() else { return };
        drag.set(None);
        let (from, to) = (one.min(other), one.max(other));
        if to - from < LEAST_DRAG {
            return;
        }
        if let Some((start, length)) = counts.with(|counts| span(&counts.histogram)).flatten() {
            let at = |part: f64| start + (part * length as f64) as i64;
            set_bounds(address, at(from), at(to));
        }
    };
    let words = move || {
        counts.with(|counts| {
            let (start, length) = span(&counts.histogram).unwrap_or((0, 0));
            let span = text::from_to(local(start).full(), local(start + length).full());
            text::histogram(span, counted(counts.total, text::line(), text::lines()))
        })
    };
    let selected = move || {
        drag.get().map(|(one, other)| {
            let (from, to) = (one.min(other) * 100.0, one.max(other) * 100.0);
            view! { <span class="hist-select" style=format!("inset-inline-start:{from}%;inline-size:{}%", to - from)></span> }
        })
    };
    view! {
        <div class="hist" role="img" aria-label=words title=text::drag() node_ref=node
            on:pointerdown=down on:pointermove=moved on:pointerup=up on:pointerleave=move |_| drag.set(None)>
            {move || counts.with(|counts| bars(&counts.histogram))}
            {move || placed(&counts, &marks)}
            {selected}
        </div>
        <div class="hist-x">{move || counts.with(|counts| ends(&counts.histogram))}</div>
        <ul class="visually-hidden" aria-label=text::happened()>
            {move || marks.with(|marks| marks.iter().take(MOST_MARKS).map(|mark| view! { <li>{told(mark)}</li> }).collect_view())}
        </ul>
    }
    .into_any()
}

/// Begin and length in milliseconds; `None` without bars.
fn span(histogram: &LogHistogram) -> Option<(i64, i64)> {
    let count = i64::try_from(histogram.buckets.len()).ok().filter(|count| *count > 0)?;
    Some((histogram.start, histogram.width.saturating_mul(count)))
}

fn ends(histogram: &LogHistogram) -> AnyView {
    let Some((start, length)) = span(histogram) else { return ().into_any() };
    let middle = start + length / 2;
    view! {
        <span>{local(start).full()}</span><span>{local(middle).full()}</span><span>{local(start + length).full()}</span>
    }
    .into_any()
}

/// Errors on top of warnings on top of the rest.
fn bars(histogram: &LogHistogram) -> AnyView {
    let most = histogram.buckets.iter().map(|bucket| bucket.iter().sum::<u64>()).max().unwrap_or(0).max(1) as f64;
    let count = histogram.buckets.len().max(1);
    let mut paths = [String::new(), String::new(), String::new()];
    for (index, bucket) in histogram.buckets.iter().enumerate() {
        let [error, warn, info, debug, trace] = *bucket;
        let mut top = HEIGHT;
        for (path, lines) in paths.iter_mut().zip([info + debug + trace, warn, error]) {
            // What is there is seen, however little it is.
            let height = if lines == 0 { 0.0 } else { (lines as f64 / most * HEIGHT).max(1.0) };
            top -= height;
            if height > 0.0 {
                path.push_str(&format!("M{}.1 {top:.1}h.8v{height:.1}h-.8z", index));
            }
        }
    }
    let titles = histogram.buckets.iter().enumerate().map(|(index, bucket)| {
        let at = histogram.start + histogram.width * i64::try_from(index).unwrap_or(0);
        let [error, warn, ..] = *bucket;
        let all = bucket.iter().sum::<u64>();
        let words = format!(
            "{}: {}, {} {}, {} {}",
            local(at).full(),
            counted(all, text::line(), text::lines()),
            grouped(error),
            text::error(),
            grouped(warn),
            text::warn()
        );
        view! { <rect x=index.to_string() y="0" width="1" height=HEIGHT.to_string() fill="transparent"><title>{words}</title></rect> }
    });
    let titles = titles.collect_view();
    let [other, warn, error] = paths;
    view! {
        <svg viewBox=format!("0 0 {count} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
            <path style="fill:var(--chart-quiet)" d=other/>
            <path style="fill:var(--warn-mark)" d=warn/>
            <path style="fill:var(--bad-mark)" d=error/>
            {titles}
        </svg>
    }
    .into_any()
}

fn told(mark: &OverviewEvent) -> String {
    format!("{} {}: {}", local(mark.event.at).full(), mark.job_name, mark.event.message)
}

fn placed(counts: &Loaded<LogCounts>, marks: &Loaded<Vec<OverviewEvent>>) -> Option<AnyView> {
    let (start, length) = counts.with(|counts| span(&counts.histogram)).flatten()?;
    marks.with(|marks| {
        let shown = marks.iter().filter(|mark| (start..start + length).contains(&mark.event.at)).take(MOST_MARKS);
        let mark = |mark: &OverviewEvent| {
            let at = (mark.event.at - start) as f64 / length as f64 * 100.0;
            view! { <span class="chart-event" style=format!("inset-inline-start:{at:.2}%") title=told(mark)></span> }
        };
        shown.map(mark).collect_view().into_any()
    })
}
