//! Running jobs, the most late first. The order is the one of the last answer and stays under the pointer; figures
//! change in place.

use leptos::prelude::*;
use millrace_wire::job::{DesiredState, JobSummary};
use millrace_wire::overview::Overview;

use crate::clock::local;
use crate::format::age::duration;
use crate::i18n::{overview as text, words};
use crate::route::{JobTab, TeamRoute};
use crate::ui::empty_state::EmptyState;
use crate::ui::figure::Figure;
use crate::ui::panel::Panel;
use crate::ui::spark::Spark;
use crate::ui::table::{Head, Table};
use crate::widget::job_state::{JobState, lag_tone};

#[component]
pub fn LagPanel(team: String, overview: Signal<Overview>) -> impl IntoView {
    let all = TeamRoute::Jobs.of(&team).href();
    let team = StoredValue::new(team);
    let ids =
        Memo::new(move |_| overview.with(|overview| overview.latest.iter().map(|row| row.id).collect::<Vec<_>>()));
    let count = Signal::derive(move || ids.with(|ids| (!ids.is_empty()).then(|| ids.len().to_string())));
    let heads = || {
        vec![
            Head::text(text::job()),
            Head::text(text::state()).fit(),
            Head::number(text::lag()),
            Head::number(text::behind()),
            Head::number(text::throughput()),
            Head::text(text::trend()).silent().fit(),
            Head::number(text::watermark()).wide(),
        ]
    };
    view! {
        <Panel title=text::latest().to_owned() count=count note=text::latest_note().to_owned()
            end=move || view! { <a class="link small" href=all.clone()>{text::all_jobs()}</a> }>
            {move || if ids.with(Vec::is_empty) {
                view! { <EmptyState title=text::no_running() body=text::no_running_body()/> }.into_any()
            } else {
                view! {
                    <Table label=text::latest() heads=heads()>
                        <For each=move || ids.get() key=|id| *id let(id)>
                            {
                                let row = Memo::new(move |_| overview.with(|overview| overview.latest.iter().find(|row| row.id == id).cloned()));
                                let href = team.with_value(|team| TeamRoute::Job(id, JobTab::Overview).of(team).href());
                                lag_row(row, href)
                            }
                        </For>
                    </Table>
                }
                .into_any()
            }}
        </Panel>
    }
    .into_any()
}

fn lag_row(row: Memo<Option<JobSummary>>, href: String) -> AnyView {
    let part =
        move |read: fn(&JobSummary) -> Option<f64>| Signal::derive(move || row.with(|row| row.as_ref().and_then(read)));
    let lag = Memo::new(move |_| {
        row.with(|row| row.as_ref()?.current.as_ref()?.figures.as_ref().and_then(|figures| figures.lag_ms))
    });
    let watermark = Memo::new(move |_| {
        row.with(|row| row.as_ref()?.current.as_ref()?.figures.as_ref().and_then(|figures| figures.watermark))
    });
    let desired = Signal::derive(move || row.with(|row| row.as_ref().map_or(DesiredState::Running, |row| row.desired)));
    let current = Signal::derive(move || row.with(|row| row.as_ref().and_then(|row| row.current.clone())));
    let spark =
        Signal::derive(move || row.with(|row| row.as_ref().map(|row| row.throughput.clone()).unwrap_or_default()));
    let name = move || row.with(|row| row.as_ref().map(|row| row.name.clone()));
    view! {
        <tr>
            <th scope="row"><a href=href>{name}</a></th>
            <td class="cell-fit"><JobState desired current/></td>
            <td class=move || format!("num cell-fit {}", lag.get().map_or("", lag_tone))>
                {move || lag.get().map_or_else(|| unknown(words::lag_not_known()), |ms| duration(ms).into_any())}
            </td>
            <td class="num cell-fit"><Figure value=part(|row| Some(row.current.as_ref()?.figures.as_ref()?.lag_records? as f64))/></td>
            <td class="num cell-fit"><Figure value=part(|row| Some(row.current.as_ref()?.figures.as_ref()?.records_in_per_s))/></td>
            <td class="cell-fit"><Spark values=spark/></td>
            <td class="num cell-fit wide-only">
                {move || watermark.get().map_or_else(|| unknown(text::no_watermark()), |at| {
                    let at = local(at);
                    view! { <time title=at.full()>{at.seconds()}</time> }.into_any()
                })}
            </td>
        </tr>
    }
    .into_any()
}

fn unknown(why: &'static str) -> AnyView {
    view! { <span class="subtle" title=why>{words::not_known()}</span> }.into_any()
}
