//! Right of the text: how the job is run, what it promises, and how the draft differs.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::Version;

use super::desk::Desk;
use super::parameters::Parameters;
use crate::api;
use crate::i18n::{editor as text, job as job_text};
use crate::rights::{Right, may};
use crate::route::{JobTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::ui::state_badge::StateBadge;
use crate::widget::job_actions::GuaranteeNote;
use crate::widget::job_settings::{SettingsForm, changed};
use crate::widget::sql_diff::{SqlDiff, tally};

#[component]
pub(super) fn Side(desk: Desk) -> impl IntoView {
    let editable = may(Right::Edit);
    let locked = Signal::derive(move || !editable.get());
    let guarantee = Memo::new(move |_| {
        desk.validation.with(|validation| validation.as_ref().and_then(|validation| validation.guarantee.clone()))
    });
    let tables = move |pick: fn(&millrace_wire::sql::Validation) -> &Vec<String>| {
        desk.validation
            .with(|validation| validation.as_ref().map(|validation| pick(validation).join(", ")))
            .unwrap_or_default()
    };
    let settings_changed = Callback::new(move |()| {});
    view! {
        <div class="ide-form">
            <h2>{text::run()}</h2>
            <SettingsForm settings=desk.settings on_change=settings_changed locked/>
            {move || guarantee.get().map(|guarantee| view! { <p class="ide-note"><GuaranteeNote guarantee/></p> })}
            <Parameters desk/>
            <Difference desk/>
            {move || desk.job.get().map(|job| {
                let page = TeamRoute::Job(job.id, JobTab::Settings).of(&desk.team.get_value()).href();
                let overview = TeamRoute::Job(job.id, JobTab::Overview).of(&desk.team.get_value()).href();
                let state = job.current.as_ref().map_or("draft", |current| current.state.as_str());
                view! {
                    <h2>{text::about()}</h2>
                    <span class="muted">{text::state()}</span>
                    <a class="link" href=overview><StateBadge state=state.to_owned()/></a>
                    <span class="muted">{text::owner()}</span><span class="truncate">{job.owner.clone()}</span>
                    {(!job.description.is_empty()).then(|| view! { <p class="ide-note">{job.description.clone()}</p> })}
                    <p class="ide-note"><a class="link" href=page>{text::edit_about()}</a></p>
                }
            })}
            {move || {
                let (reads, writes) = (tables(|found| &found.reads), tables(|found| &found.writes));
                (!reads.is_empty() || !writes.is_empty()).then(|| view! {
                    <h2>{text::tables()}</h2>
                    {(!reads.is_empty()).then(|| view! { <span class="muted">{job_text::reads()}</span><span class="code ide-tables">{reads}</span> })}
                    {(!writes.is_empty()).then(|| view! { <span class="muted">{job_text::writes()}</span><span class="code ide-tables">{writes}</span> })}
                })
            }}
        </div>
    }
    .into_any()
}

/// "Differs from v7": how many lines and which settings, with the comparison a click away.
#[component]
fn Difference(desk: Desk) -> impl IntoView {
    let newest = Memo::new(move |_| {
        desk.job.with(|job| job.as_ref().and_then(|job| job.latest_version.as_ref().map(|version| version.number)))
    });
    let version = RwSignal::new(None::<Version>);
    Effect::new(move |_| {
        let Some(number) = newest.get() else { return };
        let Some(id) = desk.id else { return };
        let path = desk.path(&format!("jobs/{id}/versions/{number}"));
        spawn_local(async move {
            if let Ok(found) = api::get::<Version>(&path).await {
                let _ = version.try_set(Some(found));
            }
        });
    });
    let sql = desk.sql.text();
    let lines =
        Memo::new(move |_| version.with(|version| version.as_ref().map(|version| tally(&version.sql, &sql.get()))));
    let settings = Memo::new(move |_| {
        version.with(|version| version.as_ref().map(|version| changed(&version.settings, &desk.settings.get())))
    });
    let differs = Memo::new(move |_| {
        let lines = lines.get().is_some_and(|lines| lines.added + lines.removed > 0);
        lines || settings.with(|settings| settings.as_ref().is_some_and(|settings| !settings.is_empty()))
    });
    let open = RwSignal::new(false);
    let name = move || job_text::version_name(newest.get().unwrap_or_default());
    let old = Signal::derive(move || {
        version.with(|version| version.as_ref().map(|version| version.sql.clone())).unwrap_or_default()
    });
    view! {
        {move || newest.get().is_some().then(|| if differs.get() {
            view! {
                <h2>{text::differs_from(name())}</h2>
                <p class="ide-note">
                    {move || lines.get().map(|lines| view! {
                        <span class="code"><span class="good">{format!("+{}", lines.added)}</span>" "<span class="bad">{format!("−{}", lines.removed)}</span></span>
                        " "{text::lines()}
                    })}
                    {move || settings.get().map(|settings| settings.into_iter().map(|(name, old, new)| {
                        text::setting_changed(name, old, new)
                    }).collect::<String>())}
                </p>
                <p class="ide-note"><Button kind=Kind::Quiet small=true icon=Icon::History on_press=move |()| open.set(true)>{text::compare()}</Button></p>
            }.into_any()
        } else {
            view! { <p class="ide-note subtle">{text::same_as(name())}</p> }.into_any()
        })}
        <Dialog open title=Signal::derive(move || text::differs_from(name())) class="dialog-wide">
            <SqlDiff left_name=Signal::derive(name) left=old right_name=job_text::draft().to_owned() right=sql/>
        </Dialog>
    }
    .into_any()
}
