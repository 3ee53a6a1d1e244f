//! What the start dialog says of approvals, and what is filled in to ask for one.

use leptos::prelude::*;
use millrace_wire::approval::{ApprovalNeed, AskForApproval};
use millrace_wire::job::Start;

use crate::clock::local;
use crate::i18n::approvals as text;
use crate::ui::callout::{Callout, Notice};
use crate::ui::check_field::CheckField;
use crate::ui::select_field::SelectField;
use crate::ui::text_area::TextArea;

/// The fields of a request.
#[derive(Clone, Copy)]
pub(super) struct Request {
    reason: RwSignal<String>,
    at_once: RwSignal<bool>,
}

impl Request {
    pub(super) fn blank() -> Request {
        Request { reason: RwSignal::new(String::new()), at_once: RwSignal::new(true) }
    }

    pub(super) fn clear(&self) {
        self.reason.set(String::new());
        self.at_once.set(true);
    }

    /// What runs does not start by itself: somebody stops it first.
    pub(super) fn of(&self, start: Start, runs: bool) -> AskForApproval {
        let start_when_approved = Some(self.at_once.get_untracked() && !runs);
        AskForApproval { start, reason: self.reason.get_untracked(), start_when_approved }
    }
}

#[component]
pub(super) fn ApprovalPart(
    need: ApprovalNeed,
    request: Request,
    runs: Signal<bool>,
    problem: Signal<Option<String>>,
) -> impl IntoView {
    if let Some(given) = need.approved {
        let said = text::approved_by(given.by, local(given.at).full());
        return view! { <p class="good">{said}</p> }.into_any();
    }
    if let Some(open) = need.open {
        let title = text::asked_already(open.asker);
        return view! { <Callout notice=Notice::Info title><p>{text::asked_already_body()}</p></Callout> }.into_any();
    }
    view! {
        <Callout notice=Notice::Info title=text::needed()><p>{need.refusal}</p></Callout>
        <div class="form">
            <TextArea label=text::reason().to_owned() value=request.reason help=text::reason_help().to_owned() error=problem/>
            {move || if runs.get() {
                view! { <p class="muted">{text::while_running()}</p> }.into_any()
            } else {
                view! { <CheckField label=text::at_once() value=request.at_once help=text::at_once_help()/> }.into_any()
            }}
        </div>
    }
    .into_any()
}

/// The draft, or the version that ran last.
#[component]
pub(super) fn WhatStarts(version: RwSignal<String>, ran: u32) -> impl IntoView {
    let options = vec![(String::new(), text::draft().to_owned()), (ran.to_string(), text::ran_last(ran))];
    view! { <SelectField label=text::what_starts().to_owned() value=version options=options/> }.into_any()
}
