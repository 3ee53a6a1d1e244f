//! What can be done with several jobs at once, and what came of it for each.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::JobId;
use millrace_wire::job_life::{BulkAction, BulkItem, BulkReport, BulkRequest};
use millrace_wire::run::RunState;

use super::list::JobRows;
use crate::api::{self, Failure};
use crate::format::number::counted;
use crate::i18n::{job_actions, jobs as text, words};
use crate::rights::{Right, refusal};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::text_field::TextField;
use crate::widget::job_actions::{delete_refusal, start_refusal, stop_refusal};

/// What is chosen: some rows, or all that the filter admits.
#[derive(Clone, Copy)]
pub(super) struct Selection {
    pub(super) jobs: RwSignal<BTreeSet<JobId>>,
    pub(super) all: RwSignal<bool>,
}

impl Selection {
    pub(super) fn clear(self) {
        self.jobs.update(BTreeSet::clear);
        self.all.set(false);
    }
}

const ACTIONS: [(BulkAction, Icon); 7] = [
    (BulkAction::Start, Icon::Play),
    (BulkAction::Stop, Icon::Stop),
    (BulkAction::Restart, Icon::Restart),
    (BulkAction::Tag, Icon::Plus),
    (BulkAction::Untag, Icon::Close),
    (BulkAction::Move, Icon::Lake),
    (BulkAction::Delete, Icon::Trash),
];

/// The button in the bar, and the one that acts in the dialog.
const fn buttons(action: BulkAction) -> (&'static str, &'static str) {
    match action {
        BulkAction::Start => (job_actions::start_dialog(), job_actions::start()),
        BulkAction::Stop => (job_actions::stop_dialog(), job_actions::stop()),
        BulkAction::Restart => (text::restart_dialog(), text::restart()),
        BulkAction::Tag => (text::tag_dialog(), text::add_tag()),
        BulkAction::Untag => (text::untag_dialog(), text::remove_tag()),
        BulkAction::Move => (text::move_dialog(), text::move_here()),
        BulkAction::Delete => (text::delete_dialog(), words::delete()),
    }
}

fn title(action: BulkAction, count: String) -> String {
    match action {
        BulkAction::Start => text::start_many(count),
        BulkAction::Stop => text::stop_many(count),
        BulkAction::Restart => text::restart_many(count),
        BulkAction::Tag => text::tag_many(count),
        BulkAction::Untag => text::untag_many(count),
        BulkAction::Move => text::move_many(count),
        BulkAction::Delete => text::delete_many(count),
    }
}

const fn note(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Start => text::start_many_body(),
        BulkAction::Stop => text::stop_many_body(),
        BulkAction::Restart => text::restart_many_body(),
        BulkAction::Tag | BulkAction::Untag => text::tag_many_body(),
        BulkAction::Move => text::move_many_body(),
        BulkAction::Delete => text::delete_many_body(),
    }
}

/// Why this action makes no sense for a job in that state.
fn refuses(action: BulkAction, state: Option<RunState>) -> bool {
    match action {
        BulkAction::Start => start_refusal(state).is_some(),
        BulkAction::Stop => stop_refusal(state).is_some(),
        BulkAction::Delete => delete_refusal(state).is_some(),
        BulkAction::Restart => state == Some(RunState::Stopping),
        BulkAction::Tag | BulkAction::Untag | BulkAction::Move => false,
    }
}

const fn none_can(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Start => text::none_can_start(),
        BulkAction::Stop => text::none_can_stop(),
        BulkAction::Restart => text::none_can_restart(),
        BulkAction::Delete => text::none_can_go(),
        BulkAction::Tag | BulkAction::Untag | BulkAction::Move => "",
    }
}

#[component]
pub(super) fn BulkBar(team: String, rows: JobRows, selection: Selection) -> impl IntoView {
    let total = move || rows.page.with(|page| page.total).unwrap_or(0);
    let count = Memo::new(move |_| match selection.all.get() {
        true => total(),
        false => selection.jobs.with(BTreeSet::len) as u64,
    });
    let act = RwSignal::new(BulkAction::Stop);
    let open = RwSignal::new(false);
    let tag = RwSignal::new(String::new());
    let folder = RwSignal::new(String::new());
    let report = RwSignal::new(None::<BulkReport>);
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let (operate, edit) = (refusal(Right::Operate), refusal(Right::Edit));
    // Of the chosen rows those that it makes sense for; of all that match the server says.
    let able = move |action: BulkAction| {
        rows.page
            .with(|page| {
                selection.jobs.with(|chosen| {
                    page.items
                        .iter()
                        .filter(|row| chosen.contains(&row.id))
                        .filter(|row| !refuses(action, row.current.as_ref().map(|current| current.state)))
                        .map(|row| (row.id, row.name.clone()))
                        .collect::<Vec<(JobId, String)>>()
                })
            })
            .unwrap_or_default()
    };
    let reason = move |action: BulkAction| {
        Signal::derive(move || {
            let may =
                if matches!(action, BulkAction::Tag | BulkAction::Untag | BulkAction::Move) { edit } else { operate };
            let none = || (!selection.all.get() && able(action).is_empty()).then(|| none_can(action).to_owned());
            may.get().or_else(none)
        })
    };
    let ask = move |action: BulkAction| {
        act.set(action);
        report.set(None);
        failure.set(None);
        tag.set(String::new());
        folder.set(String::new());
        open.set(true);
    };
    let how_many = move |action: BulkAction| if selection.all.get() { total() } else { able(action).len() as u64 };
    let path = StoredValue::new(api::path::team(&team, "jobs/bulk"));
    let run = Callback::new(move |()| {
        let action = act.get_untracked();
        let all = selection.all.get_untracked();
        let jobs = if all { Vec::new() } else { untrack(|| able(action)).into_iter().map(|(id, _)| id).collect() };
        let body = BulkRequest {
            action,
            jobs,
            filter: all.then(|| rows.filter.get_untracked()),
            tag: matches!(action, BulkAction::Tag | BulkAction::Untag).then(|| tag.get_untracked()),
            folder: (action == BulkAction::Move).then(|| folder.get_untracked()),
            from_folder: None,
            from: None,
            mode: None,
        };
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::post::<BulkReport>(&path.get_value(), &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(done) => {
                    let _ = report.try_set(Some(done));
                    rows.reload();
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let heading = Signal::derive(move || match report.get() {
        Some(report) => text::result_counts(report.done, report.refused),
        None => title(act.get(), counted(how_many(act.get()), text::job(), text::jobs())),
    });
    let foot = move || {
        view! {
            {move || if report.with(Option::is_none) {
                let action = act.get();
                let kind = if action == BulkAction::Delete { Kind::Danger } else { Kind::Primary };
                view! {
                    <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
                    <Button kind=kind busy on_press=run>{buttons(action).1}</Button>
                }.into_any()
            } else {
                view! { <Button kind=Kind::Primary on_press=move |()| open.set(false)>{words::close()}</Button> }.into_any()
            }}
        }
        .into_any()
    };
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    view! {
        {move || (count.get() > 0).then(|| view! {
            <div class="bulk-bar" role="region" aria-label=move || text::selection(counted(count.get(), text::job(), text::jobs()))>
                <span class="medium nowrap">{move || text::selected(count.get())}</span><span class="bulk-bar-rule"></span>
                {ACTIONS.into_iter().map(|(action, icon)| view! {
                    <Button icon=icon reason=reason(action) on_press=move |()| ask(action)>{buttons(action).0}</Button>
                }).collect_view()}
                <span class="bulk-bar-rule"></span>
                <IconButton icon=Icon::Close label=text::clear_selection().to_owned() on_press=move |()| selection.clear()/>
            </div>
        })}
        <Dialog open title=heading foot=foot>
            {move || match report.get() {
                Some(report) => view! {
                    <div role="status"><ul class="bulk-list">{report.items.into_iter().map(line).collect_view()}</ul></div>
                }.into_any(),
                None => {
                    let action = act.get();
                    let names = if selection.all.get() { Vec::new() } else { able(action) };
                    view! {
                        <p class="muted">{note(action)}</p>
                        {matches!(action, BulkAction::Tag | BulkAction::Untag).then(|| view! {
                            <TextField label=text::column_tag().to_owned() value=tag autofocus=true error=at("tag")/>
                        })}
                        {(action == BulkAction::Move).then(|| view! {
                            <TextField label=text::column_folder().to_owned() value=folder is_optional=true autofocus=true error=at("folder")/>
                        })}
                        <ul class="bulk-list">{names.into_iter().map(|(_, name)| view! { <li>{name}</li> }).collect_view()}</ul>
                    }.into_any()
                }
            }}
            {move || failure.get().filter(|failure| !failure.is_only_at(&["tag", "folder"])).map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}

fn line(item: BulkItem) -> AnyView {
    let class = if item.done { "good" } else { "bad" };
    view! { <li><span class="medium">{item.name}</span>" "<span class=class>{item.message}</span></li> }.into_any()
}
