//! The stop dialog: with savepoint, drain, or at once.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::{Job, Stop, StopMode};

use super::start_dialog::{Choice, Target};
use crate::api::{self, Failure};
use crate::i18n::{job_actions as text, words};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;

#[component]
pub fn StopDialog(
    team: String,
    open: RwSignal<bool>,
    #[prop(into)] target: Signal<Option<Target>>,
    #[prop(into)] on_stopped: Callback<Job>,
) -> impl IntoView {
    let mode = RwSignal::new(StopMode::Savepoint);
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    Effect::new(move |_| {
        if open.get() {
            mode.set(StopMode::Savepoint);
            failure.set(None);
        }
    });
    let stop = Callback::new(move |()| {
        let Some(id) = target.with_untracked(|target| target.as_ref().map(|target| target.id)) else { return };
        let path = api::path::team(&team, &format!("jobs/{id}/stop"));
        let body = Stop { mode: mode.get_untracked() };
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::post::<Job>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(job) => {
                    let _ = open.try_set(false);
                    on_stopped.run(job);
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let title = Signal::derive(move || {
        target.with(|target| target.as_ref().map(|target| text::stop_title(&target.name)).unwrap_or_default())
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary icon=Icon::Stop busy on_press=stop>{text::stop()}</Button>
        }
        .into_any()
    };
    let ways = [
        (StopMode::Savepoint, text::stop_savepoint(), text::stop_savepoint_note()),
        (StopMode::Drain, text::stop_drain(), text::stop_drain_note()),
        (StopMode::Cancel, text::stop_cancel(), text::stop_cancel_note()),
    ];
    view! {
        <Dialog open title foot=foot>
            <fieldset class="choices">
                <legend class="visually-hidden">{text::how_to_stop()}</legend>
                {ways.map(|(option, label, note)| view! {
                    <Choice option chosen=mode name="stop-mode" label note=note.to_owned() disabled=false/>
                })}
            </fieldset>
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}
