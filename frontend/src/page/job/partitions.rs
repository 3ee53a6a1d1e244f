//! How far each partition of the sources is behind.

use leptos::prelude::*;
use millrace_wire::metric::{PartitionLag, SourceMetrics};

use super::context::use_job;
use crate::format::number;
use crate::i18n::{job as text, words};
use crate::ui::panel::Panel;

/// Shown of one source, the most late first.
const MOST: usize = 12;

#[component]
pub(super) fn Partitions() -> impl IntoView {
    let context = use_job();
    let sources = Memo::new(move |_| {
        context.report.with(|report| {
            report.as_ref().map(|report| {
                let has_end =
                    |source: &&SourceMetrics| source.partitions.iter().any(|partition| partition.end.is_some());
                report.sources.iter().filter(has_end).cloned().collect::<Vec<_>>()
            })
        })
    });
    view! {
        {move || sources.get().filter(|sources| !sources.is_empty()).map(|sources| view! {
            <Panel title=text::partitions().to_owned()>
                {sources.into_iter().map(of_source).collect_view()}
            </Panel>
        })}
    }
    .into_any()
}

fn of_source(source: SourceMetrics) -> AnyView {
    let mut partitions = source.partitions;
    partitions.sort_by_key(|partition| (std::cmp::Reverse(partition.lag), partition.partition.clone()));
    let hidden = partitions.len().saturating_sub(MOST);
    let widest = partitions.iter().filter_map(|partition| partition.lag).max().unwrap_or(0).max(1);
    view! {
        <h3 class="rail-heading code">{source.table}</h3>
        <ul class="partitions">
            {partitions.into_iter().take(MOST).map(|partition| row(partition, widest)).collect_view()}
        </ul>
        {(hidden > 0).then(|| view! { <p class="subtle small">{text::more_partitions(number::grouped(hidden as u64))}</p> })}
    }
    .into_any()
}

fn row(partition: PartitionLag, widest: u64) -> AnyView {
    let lag = partition.lag.map_or_else(|| words::not_known().to_owned(), number::grouped);
    let share = partition.lag.unwrap_or(0) as f64 / widest as f64 * 100.0;
    let tip = match partition.end {
        Some(end) => format!(
            "{} {}, {} {}",
            text::position(),
            number::grouped_signed(partition.position),
            text::end(),
            number::grouped_signed(end)
        ),
        None => format!("{} {}", text::position(), number::grouped_signed(partition.position)),
    };
    view! {
        <li title=tip>
            <span class="partition-name">{partition.partition}</span>
            <span class="partition-bar" aria-hidden="true"><i style:width=format!("{share:.1}%")></i></span>
            <span class="num">{lag}</span>
            {partition.idle.then(|| view! { <span class="subtle small">{text::idle()}</span> })}
        </li>
    }
    .into_any()
}
