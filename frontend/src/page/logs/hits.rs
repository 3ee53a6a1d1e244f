//! The lines that were found, page by page, and those that come while they are followed.

use std::collections::VecDeque;

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::log_search::{LogCounts, LogHit, LogHits};

use super::question::Question;
use super::row::Row;
use crate::api::stream::{Stream, StreamEvent};
use crate::api::{self, Failure, path};
use crate::clock::use_clock;
use crate::i18n::logs as text;
use crate::load::{Loaded, load};
use crate::ui::button::Button;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::skeleton::Shape;

const PAGE: &str = "100";
/// Lines that came while they were followed; older ones of them go, and can be searched.
const MOST_FOLLOWED: usize = 1_000;
/// How often the counts are asked for anew while lines are followed.
const COUNT_EVERY_MS: i64 = 5_000;

#[component]
pub(super) fn Hits(team: StoredValue<String>, question: Memo<Question>, counts: Loaded<LogCounts>) -> impl IntoView {
    let first = load(
        move || question.get(),
        move |question| {
            let path = team.with_value(|team| question.path(team, "", &[("limit", PAGE)]));
            async move { api::get::<LogHits>(&path).await }
        },
    );
    view! {
        <Follow team question counts/>
        {first.show(Shape::Rows(10), move |page| (move || {
            let page = page.get();
            if page.hits.is_empty() {
                return nothing(question, counts);
            }
            view! { <Found team question page/> }.into_any()
        }).into_any())}
    }
    .into_any()
}

fn nothing(question: Memo<Question>, counts: Loaded<LogCounts>) -> AnyView {
    let is_new = question.with(|question| question.q.is_empty()) && counts.with(|counts| counts.total) == Some(0);
    if is_new {
        return view! { <EmptyState icon=Icon::Logs title=text::none_yet() body=text::none_yet_body()/> }.into_any();
    }
    view! { <EmptyState title=text::no_match() body=text::no_match_body()/> }.into_any()
}

#[component]
fn Found(team: StoredValue<String>, question: Memo<Question>, page: LogHits) -> impl IntoView {
    let hits = RwSignal::new(page.hits);
    let next = RwSignal::new(page.next);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let more = Callback::new(move |()| {
        let Some(cursor) = next.get_untracked() else { return };
        let path = question.with_untracked(|question| {
            team.with_value(|team| question.path(team, "", &[("limit", PAGE), ("cursor", &cursor)]))
        });
        busy.set(true);
        spawn_local(async move {
            match api::get::<LogHits>(&path).await {
                Ok(page) => {
                    let _ = hits.try_update(|hits| hits.extend(page.hits));
                    let _ = next.try_set(page.next);
                    let _ = failure.try_set(None);
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    view! {
        <div class="log" role="group" aria-label=text::results()>
            <For each=move || hits.get() key=|hit| hit.id.clone() let(hit)><Row team hit/></For>
        </div>
        {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        {move || next.get().is_some().then(|| view! {
            <p><Button small=true busy=busy on_press=more>{text::more()}</Button></p>
        })}
    }
    .into_any()
}

#[component]
fn Follow(team: StoredValue<String>, question: Memo<Question>, counts: Loaded<LogCounts>) -> impl IntoView {
    let on = RwSignal::new(false);
    let came = RwSignal::new(VecDeque::<LogHit>::new());
    let stream = StoredValue::new_local(None::<Stream>);
    let query = Memo::new(move |_| question.with(|question| question.q.clone()));
    Effect::new(move |_| {
        let (on, query) = (on.get(), query.get());
        stream.set_value(None);
        came.update(VecDeque::clear);
        if !on {
            return;
        }
        let path = team.with_value(|team| path::with_query(&path::team(team, "logs/tail"), &[("q", &query)]));
        stream.set_value(Some(Stream::open(&path, move |event| {
            let StreamEvent::Message(message) = event else { return };
            let Ok(hit) = serde_json::from_str::<LogHit>(&message) else { return };
            let _ = came.try_update(|came| {
                came.push_front(hit);
                came.truncate(MOST_FOLLOWED);
            });
        })));
    });
    on_cleanup(move || {
        let _ = stream.try_set_value(None);
    });
    let clock = use_clock();
    let turn = Memo::new(move |_| clock.get() / COUNT_EVERY_MS);
    Effect::new(move |before: Option<i64>| {
        let turn = turn.get();
        if on.get_untracked() && before.is_some_and(|before| before != turn) {
            counts.reload();
        }
        turn
    });
    view! {
        <div class="logs-follow">
            <button type="button" class="button button-small" aria-pressed=move || on.get().to_string()
                on:click=move |_| on.update(|on| *on = !*on)>{Icon::Play.small()}{text::follow()}</button>
            {move || on.get().then(|| view! { <span class="subtle small" role="status">{text::following()}</span> })}
        </div>
        {move || on.get().then(|| view! {
            <div class="log" role="log" aria-live="off" aria-label=text::following()>
                <For each=move || came.get() key=|hit| hit.id.clone() let(hit)><Row team hit/></For>
            </div>
        })}
    }
    .into_any()
}
