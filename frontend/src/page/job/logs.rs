//! The log of a run, live while it runs.

use leptos::prelude::*;
use millrace_wire::ids::RunId;
use millrace_wire::page::Page;
use millrace_wire::run::Run;

use super::context::use_job;
use crate::address::use_address;
use crate::api;
use crate::format::percent;
use crate::i18n::{job as text, logs};
use crate::load::load;
use crate::route::TeamRoute;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::select_field::SelectField;
use crate::widget::log_view::LogView;

#[component]
pub(super) fn Logs() -> impl IntoView {
    let context = use_job();
    let address = use_address();
    let word = address.query("run");
    let run = Memo::new(move |_| word.get().and_then(|word| word.parse::<RunId>().ok()));
    let runs = load(
        || (),
        move |()| {
            let path = api::path::with_query(&context.path("runs"), &[("limit", "100")]);
            async move { api::get::<Page<Run>>(&path).await }
        },
    );
    Effect::new(move |before: Option<()>| {
        context.changes.track();
        if before.is_some() {
            runs.reload();
        }
    });
    let choices = Signal::derive(move || {
        let mut all = vec![(String::new(), text::newest_run().to_owned())];
        runs.with(|runs| {
            all.extend(
                runs.items.iter().map(|run| (run.id.to_string(), text::run_choice(run.number, run.version, run.state))),
            );
        });
        all
    });
    let chosen = RwSignal::new(word.get_untracked().unwrap_or_default());
    Effect::new(move |before: Option<String>| {
        let chosen = chosen.get();
        if before.is_some_and(|before| before != chosen) {
            address.set_query("line", None);
            address.set_query("run", Some(&chosen));
        }
        chosen
    });
    // The newest run is another one after a start, so the view begins anew.
    let newest = Memo::new(move |_| context.job.with(|job| job.current.as_ref().map(|current| current.run)).flatten());
    let shown = Memo::new(move |_| run.get().or_else(|| newest.get()));
    let ended = Signal::derive(move || {
        let own = shown.get();
        if own == newest.get() {
            return context.state().is_none_or(|state| state.is_terminal());
        }
        true
    });
    let team = context.team.get_value();
    let logs_page = TeamRoute::Logs.of(&team).href();
    let everywhere = Signal::derive(move || {
        let name = context.job.with(|job| job.name.replace('\\', "\\\\").replace('"', "\\\"")).unwrap_or_default();
        format!("{logs_page}?{}", percent::query(&[("q".to_owned(), format!("job_name:\"{name}\""))]))
    });
    view! {
        <div class="page job-logs">
            <div class="job-logs-run">
                <SelectField label=text::which_run().to_owned() value=chosen options=choices/>
                <LinkButton small=true icon=Icon::Search href=everywhere>{logs::all_runs()}</LinkButton>
            </div>
            <LogView team job=context.id run=shown ended/>
        </div>
    }
    .into_any()
}
