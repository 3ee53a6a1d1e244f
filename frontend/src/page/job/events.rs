//! What happened, newest first.

use leptos::prelude::*;
use millrace_wire::page::Page;
use millrace_wire::run::RunEvent;

use super::context::use_job;
use crate::api;
use crate::clock::local;
use crate::i18n::job as text;
use crate::load::load;
use crate::ui::empty_state::EmptyState;
use crate::ui::skeleton::Shape;
use crate::widget::event_mark;

#[component]
pub(super) fn Events() -> impl IntoView {
    view! { <div class="page job-list"><EventList most=500/></div> }.into_any()
}

#[component]
pub(super) fn EventList(most: usize) -> impl IntoView {
    let context = use_job();
    let old = load(
        || (),
        move |()| {
            let path = api::path::with_query(&context.path("events"), &[("limit", &most.to_string())]);
            async move { api::get::<Page<RunEvent>>(&path).await }
        },
    );
    old.show(Shape::Lines(5), move |old| {
        let all = Memo::new(move |_| {
            let mut all = context.fresh_events.get();
            old.with(|old| {
                for event in &old.items {
                    if !all.contains(event) {
                        all.push(event.clone());
                    }
                }
            });
            all.truncate(most);
            all
        });
        view! {
            {move || all.with(Vec::is_empty).then(|| view! {
                <EmptyState title=text::no_events() body=text::no_events_body()/>
            })}
            <ol class="events job-events">
                <For each=move || all.get() key=|event| (event.at, event.run, event.message.clone()) let(event)>
                    {row(event)}
                </For>
            </ol>
        }
        .into_any()
    })
}

fn row(event: RunEvent) -> AnyView {
    let moment = local(event.at);
    let kind = event_mark::kind(event.kind, &event.message);
    view! {
        <li>
            <time title=moment.full()>{moment.minutes()}<span class="subtle">{format!(":{:02}", moment.second)}</span></time>
            <span class="events-mark" data-kind=kind aria-hidden="true"></span>
            <span>{event.message}" "
                // What a person does is of no attempt.
                {(event.attempt > 0).then(|| view! { <span class="events-note">{text::of_attempt(event.attempt)}</span> })}
            </span>
        </li>
    }
    .into_any()
}
