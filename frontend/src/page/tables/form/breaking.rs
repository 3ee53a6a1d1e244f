//! What saving would break, asked for before it is done.

use leptos::prelude::*;
use millrace_wire::table_version::{JobImpact, TableImpact};

use crate::i18n::table_versions as text;
use crate::route::{JobTab, TeamRoute};
use crate::ui::badge::Badge;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::widget::schema_change::ChangeTable;

/// Open while there is something to confirm.
#[component]
pub(super) fn Breaking(
    team: String,
    impact: RwSignal<Option<TableImpact>>,
    #[prop(into)] busy: Signal<bool>,
    on_confirm: Callback<()>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(impact.with(Option::is_some)));
    Effect::new(move |_| {
        if !open.get() && impact.with_untracked(Option::is_some) {
            impact.set(None);
        }
    });
    let team = StoredValue::new(team);
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{text::back_to_form()}</Button>
            <Button kind=Kind::Danger busy=busy on_press=on_confirm>{text::breaks_confirm()}</Button>
        }
    };
    view! {
        <Dialog open title=text::breaks_title().to_owned() foot=foot class="dialog-wide".to_owned()>
            {move || impact.get().map(|impact| drawn(&team.get_value(), impact))}
        </Dialog>
    }
    .into_any()
}

fn drawn(team: &str, impact: TableImpact) -> AnyView {
    let TableImpact { changes, compatibility, incompatible, jobs, hidden_jobs, .. } = impact;
    let has_jobs = !jobs.is_empty();
    let jobs = jobs.into_iter().map(|job| line(team, job)).collect_view();
    view! {
        <ChangeTable changes/>
        {(!incompatible.is_empty()).then(|| view! {
            <p>{text::breaks_mode(compatibility)}</p>
            <ul class="problems">{incompatible.into_iter().map(|reason| view! { <li>{reason}</li> }).collect_view()}</ul>
        })}
        {has_jobs.then(|| view! {
            <p>{text::breaks_jobs()}</p>
            <ul class="problems">{jobs}</ul>
            <p class="muted">{text::breaks_note()}</p>
        })}
        {(hidden_jobs > 0).then(|| view! { <p>{text::breaks_hidden_jobs(hidden_jobs)}</p> })}
    }
    .into_any()
}

fn line(team: &str, impact: JobImpact) -> AnyView {
    let href = TeamRoute::Job(impact.job.id, JobTab::Overview).of(team).href();
    let columns = (!impact.columns.is_empty()).then(|| text::breaks_columns(impact.columns.join(", ")));
    let why = impact.diagnostics.first().map(|diagnostic| diagnostic.message.clone());
    view! {
        <li>
            <span class="row">
                <a class="link medium" href=href target="_blank">{impact.job.name}</a>
                <span class="subtle">{text::version_name(impact.version)}</span>
                {impact.running.then(|| view! { <Badge>{text::breaks_running()}</Badge> })}
            </span>
            <span>{columns}" "{why}</span>
        </li>
    }
    .into_any()
}
