//! When the job takes savepoints by itself, and how many of them are kept.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::savepoint::{JobSavepointSchedule, SavepointSchedule as Kept};

use super::context::use_job;
use super::schedule::{Times, browser_zone};
use crate::api::{self, Failure};
use crate::i18n::{savepoints as text, schedule, words};
use crate::load::{Loaded, load};
use crate::rights::{Right, refusal};
use crate::ui::button::{Button, Kind};
use crate::ui::check_field::CheckField;
use crate::ui::failure::FailureNote;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

const FIELDS: [&str; 3] = ["cron", "zone", "keep"];

#[component]
pub(super) fn SavepointSchedule() -> impl IntoView {
    let context = use_job();
    let kept = load(
        || (),
        move |()| {
            let path = context.path("savepoint-schedule");
            async move { api::get::<JobSavepointSchedule>(&path).await }
        },
    );
    view! {
        <Panel title=text::schedule().to_owned()>
            {kept.show(Shape::Lines(5), move |_| view! { <Form kept/> }.into_any())}
        </Panel>
    }
    .into_any()
}

#[component]
fn Form(kept: Loaded<JobSavepointSchedule>) -> impl IntoView {
    let context = use_job();
    let toasts = use_toasts();
    let may = refusal(Right::Operate);
    let first = kept.value().with_untracked(|kept| kept.as_ref().and_then(|kept| kept.schedule.clone()));
    let exists = Memo::new(move |_| kept.with(|kept| kept.schedule.is_some()) == Some(true));
    let part =
        |read: fn(&Kept) -> String, usual: &str| RwSignal::new(first.as_ref().map_or_else(|| usual.to_owned(), read));
    let cron = part(|kept| kept.cron.clone(), "0 3 * * *");
    let zone = RwSignal::new(first.as_ref().map_or_else(browser_zone, |kept| kept.zone.clone()));
    let keep = part(|kept| kept.keep.to_string(), "7");
    let enabled = RwSignal::new(first.as_ref().is_none_or(|kept| kept.enabled));
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let body = Kept {
            cron: cron.get_untracked().trim().to_owned(),
            zone: zone.get_untracked().trim().to_owned(),
            enabled: enabled.get_untracked(),
            keep: keep.get_untracked().trim().parse().unwrap_or_default(),
        };
        let path = context.path("savepoint-schedule");
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::put::<JobSavepointSchedule>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(saved) => {
                    kept.set(saved);
                    toasts.good(text::saved());
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    };
    let remove = move |()| {
        let path = context.path("savepoint-schedule");
        spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    kept.reload();
                    toasts.good(text::removed());
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    };
    view! {
        <form class="job-about" on:submit=submit>
            <p class="muted">{text::schedule_note()}</p>
            <CheckField label=text::enabled().to_owned() value=enabled/>
            <TextField label=schedule::cron().to_owned() value=cron code=true help=schedule::cron_help().to_owned() error=at("cron")/>
            <TextField label=schedule::zone().to_owned() value=zone help=schedule::zone_help().to_owned() error=at("zone")/>
            <Times cron zone/>
            <TextField label=text::keep().to_owned() value=keep kind="number" help=text::keep_help().to_owned() error=at("keep")/>
            {move || failure.get().filter(|failure| !failure.is_only_at(&FIELDS)).map(|failure| view! { <FailureNote failure/> })}
            <div class="row">
                <Button kind=Kind::Primary submits=true busy reason=may>{words::save()}</Button>
                {move || exists.get().then(|| view! { <Button kind=Kind::DangerQuiet reason=may on_press=remove>{text::remove()}</Button> })}
            </div>
        </form>
    }
    .into_any()
}
