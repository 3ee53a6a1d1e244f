//! How many lines there are of each level, job, run and so on; a tick narrows the query.

use leptos::prelude::*;
use millrace_wire::log_search::{LogCounts, LogFacet, LogFacetCounts};

use super::clauses::{toggled, values};
use super::question::{Question, ask};
use crate::address::use_address;
use crate::format::number::grouped;
use crate::i18n::logs as text;
use crate::load::Loaded;

/// Values that are shown of each; the query can name others.
const SHOWN: usize = 8;

const fn name(facet: LogFacet) -> &'static str {
    match facet {
        LogFacet::Level => text::level(),
        LogFacet::JobName => text::job_name(),
        LogFacet::Run => text::run(),
        LogFacet::Worker => text::worker(),
        LogFacet::Operator => text::operator(),
        LogFacet::Source => text::source(),
        LogFacet::Version => text::version(),
    }
}

#[component]
pub(super) fn Facets(counts: Loaded<LogCounts>, question: Memo<Question>) -> impl IntoView {
    let all = move || counts.with(|counts| counts.facets.clone()).unwrap_or_default();
    view! {
        <aside class="logs-facets" aria-label=text::facets()>
            {move || all().into_iter().filter(|facet| !facet.values.is_empty()).map(|facet| one(facet, question)).collect_view()}
        </aside>
    }
    .into_any()
}

fn one(counts: LogFacetCounts, question: Memo<Question>) -> AnyView {
    let field = counts.facet.as_str();
    let chosen = question.with(|question| values(&question.q, field));
    let beyond = counts.distinct.saturating_sub(SHOWN.min(counts.values.len()) as u64);
    let rows = counts.values.into_iter().take(SHOWN).map(|value| {
        let checked = chosen.contains(&value.value);
        row(field, value.value, value.count, checked, question)
    });
    view! {
        <fieldset class="facet">
            <legend>{name(counts.facet)}</legend>
            {rows.collect_view()}
            {(beyond > 0).then(|| view! { <span class="subtle small facet-more">{text::more_values(beyond)}</span> })}
        </fieldset>
    }
    .into_any()
}

fn row(field: &'static str, value: String, count: u64, checked: bool, question: Memo<Question>) -> AnyView {
    let address = use_address();
    let own = value.clone();
    let choose = move |_| {
        let query = question.with_untracked(|question| toggled(&question.q, field, &own));
        ask(address, &query);
    };
    let title = value.clone();
    view! {
        <label class="check facet-row" title=title>
            <input type="checkbox" prop:checked=checked on:change=choose/>
            <span class="truncate">{value}</span>
            <span class="facet-count">{grouped(count)}</span>
        </label>
    }
    .into_any()
}
