//! Jobs by state and the sums, as one strip; each state leads to its list.

use leptos::prelude::*;
use millrace_wire::overview::Overview;

use crate::api::path::with_query;
use crate::format::number::{grouped, rate};
use crate::i18n::overview as text;
use crate::route::TeamRoute;

/// Always shown, in this order; the others only when there is one.
const ALWAYS: [&str; 4] = ["running", "recovering", "failed", "stopped"];
const OTHERS: [&str; 6] = ["stale", "starting", "pending", "stopping", "finished", "draft"];

#[component]
pub fn KeyFigures(team: String, overview: Signal<Overview>) -> impl IntoView {
    let jobs = TeamRoute::Jobs.of(&team).href();
    let states = Memo::new(move |_| overview.with(shown));
    let cell = move |(state, count): (&'static str, u64)| {
        let tone = match (state, count) {
            (_, 0) => "figure-value",
            ("failed", _) => "figure-value bad",
            ("recovering", _) => "figure-value warn",
            _ => "figure-value",
        };
        view! {
            <a href=with_query(&jobs, &[("state", state)])>
                <span class="figure-label">
                    <span class="state figure-state" data-state=state><span class="state-mark" aria-hidden="true"></span></span>
                    {state}
                </span>
                <span class=tone>{grouped(count)}</span>
            </a>
        }
    };
    let rates = move || {
        overview.with(|overview| {
            [(text::records_in(), overview.records_in_per_s), (text::records_out(), overview.records_out_per_s)]
        })
    };
    view! {
        <section class="figures" aria-label=text::key_figures()>
            {move || states.get().into_iter().map(&cell).collect_view()}
            {move || rates().into_iter().map(|(label, value)| view! {
                <div class="figure-wide">
                    <span class="figure-label">{label}</span>
                    <span class="figure-value" title=format!("{:.1}", value.abs())>{rate(value)}</span>
                </div>
            }).collect_view()}
        </section>
    }
    .into_any()
}

fn shown(overview: &Overview) -> Vec<(&'static str, u64)> {
    let count = |state: &str| overview.states.iter().filter(|known| known.state == state).map(|known| known.jobs).sum();
    let always = ALWAYS.iter().map(|state| (*state, count(state)));
    let others = OTHERS.iter().map(|state| (*state, count(state))).filter(|(_, count)| *count > 0);
    always.chain(others).collect()
}
