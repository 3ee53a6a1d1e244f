//! One job in the list.

use std::collections::BTreeSet;

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::job::JobSummary;
use millrace_wire::run::RunState;

use super::Dialogs;
use super::order::{lag, rate, state_word, wanted};
use crate::address::Address;
use crate::clock::local;
use crate::format::{age, number};
use crate::i18n::{job_actions, jobs as text, words};
use crate::rights::{Right, refusal};
use crate::route::{JobTab, TeamRoute};
use crate::ui::age::Ago;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::spark::Spark;
use crate::ui::state_badge::StateBadge;
use crate::widget::job_actions::{Target, start_refusal, stop_refusal};
use crate::widget::job_state::lag_tone;
use crate::widget::permissions::open_badges;

#[component]
pub(super) fn Row(
    id: JobId,
    job: Memo<Option<JobSummary>>,
    team: String,
    selected: RwSignal<BTreeSet<JobId>>,
    dialogs: Dialogs,
    address: Address,
) -> impl IntoView {
    let name = Memo::new(move |_| job.with(|job| job.as_ref().map(|job| job.name.clone()).unwrap_or_default()));
    let part = move |read: fn(&JobSummary) -> String| {
        Memo::new(move |_| job.with(|job| job.as_ref().map(read).unwrap_or_default()))
    };
    let href = TeamRoute::Job(id, JobTab::Overview).of(&team).href();
    let is_selected = move || selected.with(|selected| selected.contains(&id));
    let toggle = move |_| {
        selected.update(|selected| {
            if !selected.remove(&id) {
                selected.insert(id);
            }
        });
    };
    let state = part(|job| state_word(job).to_owned());
    let at = Memo::new(move |_| job.with(|job| job.as_ref().and_then(age_from)));
    let want = Memo::new(move |_| job.with(|job| job.as_ref().and_then(wanted)).map(str::to_owned));
    let rate_text = part(|job| if running(job) { number::rate(rate(job)) } else { String::new() });
    let throughput =
        Memo::new(move |_| job.with(|job| job.as_ref().map(|job| job.throughput.clone()).unwrap_or_default()));
    let lag_text = part(|job| match (lag(job), running(job)) {
        (Some(lag), true) => age::duration(lag),
        (None, true) => words::not_known().to_owned(),
        _ => String::new(),
    });
    let lag_class = move || {
        let lag = job.with(|job| job.as_ref().filter(|job| running(job)).and_then(lag));
        lag.map_or_else(|| "num subtle".to_owned(), |ms| format!("num {}", lag_tone(ms)))
    };
    let lag_tip = move || {
        job.with(|job| job.as_ref().is_some_and(|job| running(job) && lag(job).is_none()).then(words::lag_not_known))
    };
    let owner = part(|job| job.owner.clone());
    let folder = Memo::new(move |_| job.with(|job| job.as_ref().map(|job| job.folder.clone()).unwrap_or_default()));
    let tags = Memo::new(move |_| job.with(|job| job.as_ref().map(|job| job.tags.clone()).unwrap_or_default()));
    let version = part(|job| job.current.as_ref().map(|current| format!("v{}", current.version)).unwrap_or_default());
    // Of a job that does not run, nothing is known here: its run may well have left a checkpoint.
    let checkpoint = Memo::new(move |_| {
        job.with(|job| {
            let figures = job.as_ref().filter(|job| running(job))?.current.as_ref()?.figures.as_ref();
            Some(figures.and_then(|figures| figures.checkpoint_at))
        })
    });
    let changed = Signal::derive(move || job.with(|job| job.as_ref().map(|job| job.updated_at).unwrap_or_default()));
    let may = refusal(Right::Operate);
    let run_state =
        move || job.with(|job| job.as_ref().and_then(|job| job.current.as_ref().map(|current| current.state)));
    let open_dialog = move |which: RwSignal<bool>| {
        dialogs.target.set(job.with_untracked(|job| {
            job.as_ref().map(|job| Target {
                id: job.id,
                name: job.name.clone(),
                version: job.current.as_ref().map(|current| current.version),
                draft_differs: false,
                ran: job.current.as_ref().map(|current| current.version),
                runs: job.current.as_ref().is_some_and(|current| !current.state.is_terminal()),
            })
        }));
        which.set(true);
    };
    let menu_href = href.clone();
    let items = Signal::derive(move || {
        let state = run_state();
        let reason = |refuse: fn(Option<RunState>) -> Option<&'static str>| {
            may.get().or_else(|| refuse(state).map(str::to_owned))
        };
        vec![
            MenuItem::go(text::open(), None, menu_href.clone()),
            MenuItem::go(text::edit(), Some(Icon::Editor), TeamRoute::Editor(Some(id)).of(&team).href()),
            MenuItem::go(text::logs(), Some(Icon::Logs), TeamRoute::Job(id, JobTab::Logs).of(&team).href()),
            MenuItem::rule(),
            MenuItem::run(job_actions::start_dialog(), Some(Icon::Play), move || open_dialog(dialogs.starts))
                .unless(reason(start_refusal)),
            MenuItem::run(job_actions::stop_dialog(), Some(Icon::Stop), move || open_dialog(dialogs.stops))
                .unless(reason(stop_refusal)),
        ]
    });
    let open = move || job.with(|job| job.as_ref().map(|job| open_badges(job.restricted, job.shared)));
    view! {
        <tr aria-selected=move || is_selected().to_string()>
            <td class="cell-check"><input type="checkbox" class="checkbox" aria-label=move || text::select(name.get())
                prop:checked=is_selected on:change=toggle/></td>
            <th scope="row"><span class="row"><a href=href>{name}</a>{open}</span></th>
            <td><StateBadge state at wanted=want/></td>
            <td class="num">{rate_text}</td>
            <td class="cell-spark"><Spark values=throughput/></td>
            <td class=lag_class title=lag_tip>{lag_text}</td>
            <td><button type="button" class="cell-button muted" title=move || text::filter_by_owner(owner.get())
                on:click=move |_| address.set_query("owner", Some(&owner.get_untracked()))>{owner}</button></td>
            <td>{move || (!folder.with(String::is_empty)).then(|| view! {
                <button type="button" class="cell-button tag" title=move || text::filter_by_folder(folder.get())
                    on:click=move |_| address.set_query("folder", Some(&folder.get_untracked()))>{Icon::Lake.small()}" "{folder}</button>
            })}
            {move || tags.get().into_iter().map(|tag| {
                let own = tag.clone();
                view! {
                    <button type="button" class="cell-button tag" title=text::filter_by_tag(&tag)
                        on:click=move |_| address.set_query("tag", Some(&own))>{tag.clone()}</button>
                }
            }).collect_view()}</td>
            <td class="wide-only code muted">{version}</td>
            <td class="wide-only muted">{move || match checkpoint.get() {
                Some(Some(at)) => view! { <Ago at/> }.into_any(),
                Some(None) => text::no_checkpoint().into_any(),
                None => ().into_any(),
            }}</td>
            <td class="num muted" title=move || local(changed.get()).full()><Ago at=changed/></td>
            <td class="cell-menu">
                <Menu label=Signal::derive(move || text::actions_for(name.get())) class="icon-button icon-button-small" items>{Icon::More.view()}</Menu>
            </td>
        </tr>
    }
    .into_any()
}

fn running(job: &JobSummary) -> bool {
    job.current.as_ref().is_some_and(|current| !current.state.is_terminal())
}

/// When it was last seen, or since when a state lasts that is not the usual one.
fn age_from(job: &JobSummary) -> Option<i64> {
    let current = job.current.as_ref()?;
    match current.state {
        RunState::Running if !current.stale => current.last_seen_at.or(Some(current.since)),
        _ if current.stale => current.last_seen_at,
        _ => Some(current.since),
    }
}
