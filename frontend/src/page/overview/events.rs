//! What happened lately, newest first.

use leptos::prelude::*;
use millrace_wire::overview::Overview;

use crate::clock::local;
use crate::i18n::overview as text;
use crate::route::{JobTab, TeamRoute};
use crate::ui::empty_state::EmptyState;
use crate::ui::panel::Panel;
use crate::widget::event_mark;

#[component]
pub fn EventsPanel(team: String, overview: Signal<Overview>) -> impl IntoView {
    let events = Memo::new(move |_| overview.with(|overview| overview.events.clone()));
    view! {
        <Panel title=text::events().to_owned()>
            {move || if events.with(Vec::is_empty) {
                view! { <EmptyState title=text::no_events() body=text::no_events_body()/> }.into_any()
            } else {
                let team = team.clone();
                view! {
                    <ol class="events">
                        {events.get().into_iter().map(|known| {
                            let at = local(known.event.at);
                            let href = TeamRoute::Job(known.job, JobTab::Events).of(&team).href();
                            view! {
                                <li>
                                    <time title=at.full()>{at.minutes()}</time>
                                    <span class="events-mark" data-kind=event_mark::kind(known.event.kind, &known.event.message) aria-hidden="true"></span>
                                    <span><a class="link" href=href>{known.job_name}</a>" "{known.event.message}</span>
                                </li>
                            }
                        }).collect_view()}
                    </ol>
                }
                .into_any()
            }}
        </Panel>
    }
    .into_any()
}
