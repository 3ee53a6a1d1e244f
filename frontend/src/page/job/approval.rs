//! Under the head of the job's page: the newest request for the approval of a start, as long as it matters.

use leptos::prelude::*;
use millrace_wire::approval::{ApprovalState, StartApproval};
use millrace_wire::page::Page;

use super::context::use_job;
use crate::api;
use crate::i18n::{approvals as text, catalogue};
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::ui::button::Button;
use crate::ui::callout::{Callout, Notice};
use crate::ui::toast::use_toasts;
use crate::widget::approval::{DecideStart, withdraw};

#[component]
pub(super) fn ApprovalNote() -> impl IntoView {
    let context = use_job();
    let newest = load(
        || (),
        move |()| {
            let path = api::path::with_query(&context.path("approvals"), &[("limit", "1")]);
            async move { api::get::<Page<StartApproval>>(&path).await.map(|page| page.items.into_iter().next()) }
        },
    );
    Effect::new(move |before: Option<()>| {
        context.changes.track();
        if before.is_some() {
            newest.reload();
        }
    });
    let deciding = RwSignal::new(None::<StartApproval>);
    let again = Callback::new(move |()| newest.reload());
    let version =
        Memo::new(move |_| context.job.with(|job| job.latest_version.as_ref().map(|version| version.number)).flatten());
    let shown = Memo::new(move |_| newest.with(Clone::clone).flatten());
    view! {
        <div class="job-trouble" role="status">
            {move || shown.get().and_then(|asked| note(asked, version.get(), deciding, again))}
        </div>
        <DecideStart deciding on_decided=again/>
    }
    .into_any()
}

/// What was decided about an older version is history.
fn note(
    asked: StartApproval,
    newest: Option<u32>,
    deciding: RwSignal<Option<StartApproval>>,
    again: Callback<()>,
) -> Option<AnyView> {
    let current = newest == Some(asked.version);
    match asked.state {
        ApprovalState::Open => Some(open(asked, deciding, again)),
        ApprovalState::Approved if current && !asked.not_started.is_empty() => Some(
            view! { <Callout notice=Notice::Warn title=text::did_not_start(asked.version)><p>{asked.not_started}</p></Callout> }
                .into_any(),
        ),
        ApprovalState::Declined if current => {
            let title = text::was_declined(&asked.decided_by, asked.version);
            Some(view! { <Callout notice=Notice::Warn title><p>{asked.answer}</p></Callout> }.into_any())
        }
        _ => None,
    }
}

fn open(asked: StartApproval, deciding: RwSignal<Option<StartApproval>>, again: Callback<()>) -> AnyView {
    let toasts = use_toasts();
    let (own, reason) = (asked.own, asked.reason.clone());
    let title = if own { text::you_ask(asked.version) } else { text::somebody_asks(&asked.asker, asked.version) };
    let kept = StoredValue::new(asked);
    let may = refusal(Right::Operate);
    view! {
        <Callout notice=Notice::Info title>
            <p>{reason}</p>
            {if own {
                let press = move |()| kept.with_value(|asked| withdraw(asked, toasts, again));
                view! { <Button small=true on_press=press>{text::withdraw()}</Button> }.into_any()
            } else {
                let press = move |()| deciding.set(Some(kept.get_value()));
                view! { <Button small=true reason=may on_press=press>{catalogue::decide()}</Button> }.into_any()
            }}
        </Callout>
    }
    .into_any()
}
