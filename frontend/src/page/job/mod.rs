//! The page of one job: head with state and actions, and a tab for each way to look at it.

mod approval;
mod context;
mod events;
mod head;
mod logs;
mod metrics;
mod overview;
mod partitions;
mod permissions;
mod rail;
mod range;
mod report;
mod runs;
mod savepoint_schedule;
mod savepoints;
mod schedule;
mod settings;
mod tests;
mod versions;

use leptos::prelude::*;
use millrace_wire::ids::JobId;

use crate::format::number;
use crate::i18n::{job as text, permissions as permission_text, testing};
use crate::route::{JobTab, TeamRoute};
use crate::ui::skeleton::Shape;
use crate::ui::tabs::{Tab, Tabs};
use context::JobContext;
use head::Head;

#[component]
pub fn JobPage(team: String, job: JobId, #[prop(into)] tab: Signal<JobTab>) -> impl IntoView {
    let context = JobContext::provide(&team, job);
    let tabs = Signal::derive(move || {
        let current = tab.get();
        let counts = context.job.with(|job| (job.runs, job.versions, job.savepoints)).unwrap_or_default();
        JobTab::ALL
            .iter()
            .map(|tab| {
                let (label, count) = match tab {
                    JobTab::Overview => (text::overview(), None),
                    JobTab::Metrics => (text::metrics(), None),
                    JobTab::Logs => (text::logs(), None),
                    JobTab::Events => (text::events(), None),
                    JobTab::Runs => (text::runs(), Some(counts.0)),
                    JobTab::Versions => (text::versions(), Some(counts.1)),
                    JobTab::Savepoints => (text::savepoints(), Some(counts.2)),
                    JobTab::Schedule => (text::schedule(), None),
                    JobTab::Report => (text::report(), None),
                    JobTab::Tests => (testing::tests(), None),
                    JobTab::Permissions => (permission_text::title(), None),
                    JobTab::Settings => (text::settings(), None),
                };
                Tab {
                    label: label.to_owned(),
                    href: TeamRoute::Job(job, *tab).of(&team).href(),
                    count: count.map(number::grouped),
                    bad: false,
                    current: *tab == current,
                }
            })
            .collect::<Vec<Tab>>()
    });
    context.job.show(Shape::Page, move |_| {
        view! {
            <Head/>
            <Tabs label=text::tabs() tabs/>
            {move || match tab.get() {
                JobTab::Overview => view! { <overview::Overview/> }.into_any(),
                JobTab::Metrics => view! { <metrics::Metrics/> }.into_any(),
                JobTab::Logs => view! { <logs::Logs/> }.into_any(),
                JobTab::Events => view! { <events::Events/> }.into_any(),
                JobTab::Runs => view! { <runs::Runs/> }.into_any(),
                JobTab::Versions => view! { <versions::Versions/> }.into_any(),
                JobTab::Savepoints => view! { <savepoints::Savepoints/> }.into_any(),
                JobTab::Schedule => view! { <schedule::Schedule/> }.into_any(),
                JobTab::Report => view! { <report::ReportTab/> }.into_any(),
                JobTab::Tests => view! { <tests::Tests/> }.into_any(),
                JobTab::Permissions => view! { <permissions::Permissions/> }.into_any(),
                JobTab::Settings => view! { <settings::Settings/> }.into_any(),
            }}
        }
        .into_any()
    })
}
