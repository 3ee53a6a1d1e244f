//! Shadow runs of a job: started, followed, looked at again.

mod history;
mod result;
mod start;

use leptos::prelude::*;
use millrace_wire::ids::ShadowRunId;
use millrace_wire::page::Page;
use millrace_wire::shadow_run::ShadowRunSummary;
use millrace_wire::test_run::TestRunState;

use super::Subject;
use crate::api;
use crate::i18n::shadow as text;
use crate::load::{Loaded, load};
use crate::rights::{Right, refusal};
use crate::ui::button::{Button, Kind};
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use history::History;
use result::Shown;
use start::StartShadowRunDialog;

/// How often those that run are looked at.
const PAUSE_MS: u32 = 1_000;

#[component]
pub fn ShadowRuns(
    subject: Subject,
    /// Numbers of the versions of the job, newest first.
    #[prop(into)]
    versions: Signal<Vec<u32>>,
) -> impl IntoView {
    let may = refusal(Right::Edit);
    // Rows of production are for those who may edit the job; nobody else asks.
    let runs = load(
        move || may.get().is_none(),
        move |may: bool| {
            let path = subject.shadow_path("").filter(|_| may);
            let path = path.map(|path| api::path::with_query(&path, &[("limit", "100")]));
            async move {
                match path {
                    Some(path) => api::get::<Page<ShadowRunSummary>>(&path).await,
                    None => Ok(Page { items: Vec::new(), next: None, total: 0 }),
                }
            }
        },
    );
    look_again(runs);
    let (open, shown) = (RwSignal::new(false), RwSignal::new(None::<ShadowRunId>));
    let started = Callback::new(move |id: ShadowRunId| {
        shown.set(Some(id));
        runs.reload();
    });
    let tools = move || {
        view! {
            <Button kind=Kind::Quiet small=true icon=Icon::Test reason=may on_press=move |()| open.set(true)>
                {text::start_shadow_run()}
            </Button>
        }
        .into_any()
    };
    view! {
        <Panel title=text::shadow_runs().to_owned() end=tools>
            <p class="muted">{text::explain()}</p>
            {runs.show(Shape::Rows(2), move |page| view! { <History subject runs page shown/> }.into_any())}
            <Shown subject runs shown/>
        </Panel>
        <StartShadowRunDialog open subject versions on_started=started/>
    }
    .into_any()
}

/// While one is running.
fn look_again(runs: Loaded<Page<ShadowRunSummary>>) {
    Effect::new(move |_| {
        let is_running = |run: &ShadowRunSummary| run.state == TestRunState::Running;
        if runs.with(|page| page.items.iter().any(is_running)) == Some(true) {
            leptos::task::spawn_local(async move {
                gloo_timers::future::TimeoutFuture::new(PAUSE_MS).await;
                runs.reload();
            });
        }
    });
}

impl Subject {
    /// A path below the shadow runs of the job.
    fn shadow_path(&self, tail: &str) -> Option<String> {
        self.job.map(|job| self.path(&format!("jobs/{job}/shadow-runs{tail}")))
    }
}

/// What a version is called beside another one; `None`: the draft, or a text of the editor.
fn name_of(version: Option<u32>) -> String {
    version.map_or_else(|| text::given_text().to_owned(), text::version)
}
