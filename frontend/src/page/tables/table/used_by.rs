//! The jobs that write and read the table.

use leptos::prelude::*;
use millrace_wire::connection::JobRef;
use millrace_wire::table::Table;

use crate::i18n::tables as text;
use crate::route::{JobTab, TeamRoute};
use crate::ui::empty_state::EmptyState;
use crate::ui::panel::Panel;

#[component]
pub(super) fn UsedBy(team: String, table: Signal<Table>) -> impl IntoView {
    let producers = Memo::new(move |_| table.with(|table| table.producers.clone()));
    let consumers = Memo::new(move |_| table.with(|table| table.consumers.clone()));
    let list = move |jobs: Memo<Vec<JobRef>>, title: &'static str, none: &'static str, none_body: &'static str| {
        let team = team.clone();
        view! {
            <Panel title=title.to_owned() count=Signal::derive(move || Some(jobs.with(Vec::len).to_string()))>
                {move || if jobs.with(Vec::is_empty) {
                    view! { <EmptyState title=none body=none_body/> }.into_any()
                } else {
                    view! { <JobLinks team=team.clone() jobs=jobs.get()/> }.into_any()
                }}
            </Panel>
        }
    };
    view! {
        {list.clone()(producers, text::written_by(), text::no_producer(), text::no_producer_body())}
        {list(consumers, text::read_by(), text::no_consumer(), text::no_consumer_body())}
    }
    .into_any()
}

#[component]
pub(super) fn JobLinks(team: String, jobs: Vec<JobRef>) -> impl IntoView {
    view! {
        <ul class="related">
            {jobs.into_iter().map(|job| view! {
                <li><a class="truncate medium" href=TeamRoute::Job(job.id, JobTab::Overview).of(&team).href()>{job.name}</a></li>
            }).collect_view()}
        </ul>
    }
    .into_any()
}
