//! Log lines of all jobs of the team: found by words and fields, counted, followed, and seen with those around them.

mod bar;
mod clauses;
mod context;
mod facets;
mod groups;
mod histogram;
mod hits;
mod question;
mod row;

use leptos::prelude::*;
use millrace_wire::log_search::LogCounts;

use crate::address::use_address;
use crate::api;
use crate::format::number::counted;
use crate::i18n::logs as text;
use crate::load::load;
use crate::ui::callout::{Callout, Notice};
use crate::ui::failure::FailureNote;
use crate::ui::page_head::PageHead;
use crate::ui::segmented::Segmented;
use question::Question;

/// Bars of the histogram.
const BUCKETS: &str = "90";

#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Lines,
    Groups,
}

#[component]
pub fn LogsPage(team: String) -> impl IntoView {
    let address = use_address();
    let question = Question::of_address();
    let team = StoredValue::new(team);
    let counts = load(
        move || question.get(),
        move |question| {
            let path = team.with_value(|team| question.path(team, "/counts", &[("buckets", BUCKETS)]));
            async move { api::get::<LogCounts>(&path).await }
        },
    );
    let refusal = counts.failure();
    let view_word = address.query("view");
    let shown =
        Memo::new(move |_| if view_word.get().as_deref() == Some("errors") { Shown::Groups } else { Shown::Lines });
    let line = address.query("line");
    let choices = vec![(Shown::Lines, text::as_lines().to_owned()), (Shown::Groups, text::as_groups().to_owned())];
    let choose = Callback::new(move |shown: Shown| {
        address.set_query("view", (shown == Shown::Groups).then_some("errors"));
    });
    let total = move || counts.with(|counts| counted(counts.total, text::line(), text::lines()));
    let left_out = move || counts.with(|counts| counts.left_out.join(", ")).filter(|days| !days.is_empty());
    let head_actions = move || view! { <bar::Downloads team question/> };
    view! {
        <PageHead title=text::title().to_owned() actions=head_actions/>
        <bar::QueryBar question/>
        {move || refusal.get().map(|failure| view! { <div class="page"><FailureNote failure/></div> })}
        <div class="logs">
            <facets::Facets counts question/>
            <section class="logs-main" aria-label=text::results()>
                {move || left_out().map(|days| view! {
                    <Callout notice=Notice::Warn title=text::restoring_title()>{text::restoring(days)}</Callout>
                })}
                <div class="logs-sum">
                    <strong role="status">{total}</strong>
                    <span class="subtle">{text::newest_first()}</span>
                    <span class="grow"></span>
                    <histogram::Legend/>
                </div>
                <histogram::Histogram counts question team/>
                <div class="logs-sum logs-tools">
                    <Segmented label=text::shown_as().to_owned() options=choices value=shown on_choose=choose/>
                </div>
                {move || line.get().map(|id| view! { <context::Around team id/> })}
                {move || match shown.get() {
                    Shown::Lines => view! { <hits::Hits team question counts/> }.into_any(),
                    Shown::Groups => view! { <groups::Groups team question/> }.into_any(),
                }}
            </section>
        </div>
    }
    .into_any()
}
