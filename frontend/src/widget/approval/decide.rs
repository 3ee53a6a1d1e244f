//! Approves a start, or declines it with a word. What would change stands above the answer, as it was when it was asked
//! for.

use leptos::prelude::*;
use millrace_wire::approval::{ApprovalDecision, StartApproval};
use millrace_wire::report::DeploymentReport;

use super::{path_of, way_words};
use crate::api::{self, Failure};
use crate::i18n::{approvals as text, catalogue, words};
use crate::inbox::use_inbox;
use crate::load::load;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::facts::{Fact, Facts};
use crate::ui::failure::FailureNote;
use crate::ui::skeleton::Shape;
use crate::ui::text_area::TextArea;
use crate::ui::toast::use_toasts;
use crate::widget::deployment::Report;

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Approve,
    Decline,
}

#[component]
pub fn DecideStart(
    /// Set to open the dialog; `None` again once it is closed.
    deciding: RwSignal<Option<StartApproval>>,
    #[prop(into)] on_decided: Callback<()>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let answer = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let (toasts, inbox) = (use_toasts(), use_inbox());
    Effect::new(move |_| {
        if deciding.with(Option::is_some) {
            answer.set(String::new());
            failure.set(None);
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            deciding.set(None);
        }
    });
    let decide = move |verdict: Verdict| {
        let Some(asked) = deciding.get_untracked() else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let approve = verdict == Verdict::Approve;
        let body = ApprovalDecision { approve, answer: answer.get_untracked() };
        let path = path_of(&asked, "");
        leptos::task::spawn_local(async move {
            match api::post::<StartApproval>(&path, &body).await {
                Ok(decided) => {
                    match (approve, decided.not_started.is_empty()) {
                        (true, true) => toasts.good(text::approved()),
                        (true, false) => toasts.bad(text::approved_not_started(), decided.not_started),
                        (false, _) => toasts.good(text::declined()),
                    }
                    let _ = open.try_set(false);
                    let _ = on_decided.try_run(());
                    inbox.0.reload();
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    };
    let title = Signal::derive(move || {
        let name = |asked: &StartApproval| text::decide_on(&asked.job_name, asked.version);
        deciding.with(|asked| asked.as_ref().map(name).unwrap_or_default())
    });
    let problem =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("answer"))));
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["answer"]));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::DangerQuiet busy=busy on_press=move |()| decide(Verdict::Decline)>{catalogue::decline()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=move |()| decide(Verdict::Approve)>{catalogue::accept()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title foot=foot class="dialog-start">
            {move || deciding.get().map(|asked| view! { <Asked asked/> })}
            <form class="form" on:submit=move |event| event.prevent_default() novalidate>
                <TextArea label=catalogue::answer().to_owned() value=answer help=catalogue::answer_help().to_owned()
                    is_optional=true error=problem/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
            </form>
        </Dialog>
    }
    .into_any()
}

/// What was asked for, and the deployment report of that moment.
#[component]
fn Asked(asked: StartApproval) -> impl IntoView {
    let report_path = path_of(&asked, "/report");
    let report = load(
        || (),
        move |()| {
            let path = report_path.clone();
            async move {
                match api::get::<DeploymentReport>(&path).await {
                    Err(failure) if failure.is_not_found() => Ok(None),
                    answer => answer.map(Some),
                }
            }
        },
    );
    let then = if asked.start_when_approved { text::starts_at_once() } else { text::starts_later() };
    let team = StoredValue::new(asked.team_slug.clone());
    let job = asked.job;
    let way = way_words(&asked);
    let StartApproval { asker, asker_email, reason, .. } = asked;
    view! {
        <Facts from_start=true>
            <Fact name=catalogue::who()><span title=asker_email>{asker}</span></Fact>
            <Fact name=catalogue::reason()><span class="rail-wrap">{reason}</span></Fact>
            <Fact name=text::how()>{way}</Fact>
        </Facts>
        <p class="muted">{then}</p>
        {report.show(Shape::Lines(6), move |report| (move || match report.get() {
            Some(report) => view! { <Report team=team.get_value() job report/> }.into_any(),
            None => view! { <p class="subtle">{text::no_report()}</p> }.into_any(),
        }).into_any())}
    }
    .into_any()
}
