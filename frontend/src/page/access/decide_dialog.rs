//! Approves a request, perhaps with a lower right, or declines it with a word.

use leptos::prelude::*;
use millrace_wire::access::Level;
use millrace_wire::request::{AccessRequest, Decision, Requests};

use crate::api::{self, Failure};
use crate::i18n::{catalogue as text, words};
use crate::inbox::use_inbox;
use crate::load::Loaded;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_area::TextArea;
use crate::ui::toast::use_toasts;

const FIELDS: &[&str] = &["answer", "level"];

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Accept,
    Decline,
}

#[component]
pub(super) fn DecideDialog(deciding: RwSignal<Option<AccessRequest>>, requests: Loaded<Requests>) -> impl IntoView {
    let open = RwSignal::new(false);
    let level = RwSignal::new(String::new());
    let answer = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let (toasts, inbox) = (use_toasts(), use_inbox());
    Effect::new(move |_| {
        if let Some(request) = deciding.get() {
            level.set(request.level.map(|level| level.as_str().to_owned()).unwrap_or_default());
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
        let Some(request) = deciding.get_untracked() else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let path = match request.table {
            Some(table) => format!("tables/{table}/requests/{}", request.id),
            None => format!("ingestion-requests/{}", request.id),
        };
        let path = api::path::team(&request.team_slug, &path);
        let accept = verdict == Verdict::Accept;
        let level = level.get_untracked().parse::<Level>().ok().filter(|_| accept);
        let body = Decision { accept, level, answer: answer.get_untracked() };
        leptos::task::spawn_local(async move {
            match api::post::<AccessRequest>(&path, &body).await {
                Ok(_) => {
                    toasts.good(if accept { text::done_accepted() } else { text::done_declined() });
                    let _ = open.try_set(false);
                    requests.reload();
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
        text::decide_on(
            deciding.with(|request| request.as_ref().map(|request| request.title.clone()).unwrap_or_default()),
        )
    });
    let words_of = move || {
        deciding.with(|request| {
            request.as_ref().map(|request| {
                let purpose = request.reason.clone();
                let source = request.source.as_ref().map(|source| format!("{}, {}", source.kind, source.address));
                view! { <p><span class="medium">{request.asker.clone()}</span>": "{purpose}</p>{source.map(|source| view! { <p class="muted">{source}</p> })} }
            })
        })
    };
    // Up to what was asked for.
    let levels = Signal::derive(move || {
        let asked = deciding.with(|request| request.as_ref().and_then(|request| request.level));
        let fitting = Level::ALL.iter().filter(|level| asked.is_some_and(|asked| **level <= asked));
        fitting.map(|level| (level.as_str().to_owned(), level.as_str().to_owned())).collect::<Vec<_>>()
    });
    let at = move |name: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(name))))
    };
    let other = move || failure.get().filter(|failure| !failure.is_only_at(FIELDS));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::DangerQuiet busy=busy on_press=move |()| decide(Verdict::Decline)>{text::decline()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=move |()| decide(Verdict::Accept)>{text::accept()}</Button>
        }
    };
    view! {
        <Dialog open title foot=foot>
            <form class="form" on:submit=move |event| event.prevent_default() novalidate>
                {words_of}
                {move || (!levels.with(Vec::is_empty)).then(|| view! {
                    <SelectField label=text::right().to_owned() value=level options=levels error=at("level")/>
                })}
                <TextArea label=text::answer().to_owned() value=answer help=text::answer_help().to_owned() is_optional=true error=at("answer")/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
            </form>
        </Dialog>
    }
    .into_any()
}
