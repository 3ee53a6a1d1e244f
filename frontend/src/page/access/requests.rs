//! Requests that the person may decide, ingestions that were accepted, and what the person asked for.

use leptos::prelude::*;
use millrace_wire::approval::StartApproval;
use millrace_wire::live::LiveEvent;
use millrace_wire::request::{AccessRequest, RequestKind, RequestState, Requests};

use super::decide_dialog::DecideDialog;
use super::start_requests::StartRequests;
use crate::api;
use crate::i18n::{approvals, catalogue as text};
use crate::inbox::use_inbox;
use crate::live::use_live;
use crate::load::load;
use crate::ui::age::Ago;
use crate::ui::button::Button;
use crate::ui::empty_state::EmptyState;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::widget::approval::DecideStart;

#[component]
pub(super) fn RequestsTab() -> impl IntoView {
    let requests = load(|| (), |()| async { api::get::<Requests>("/requests").await });
    use_live().on(move |event| {
        if matches!(event, LiveEvent::Reset) {
            requests.reload();
        }
    });
    let deciding = RwSignal::new(None::<AccessRequest>);
    let deciding_start = RwSignal::new(None::<StartApproval>);
    let again = Callback::new(move |()| requests.reload());
    let inbox = use_inbox();
    view! {
        {requests.show(Shape::Rows(4), move |requests| (move || {
            let Requests { to_decide, to_ingest, mine, starts_to_decide, my_starts } = requests.get();
            view! {
                <StartRequests title=approvals::starts_to_decide() starts=starts_to_decide deciding=deciding_start on_changed=again/>
                <Panel title=text::to_decide().to_owned() count=to_decide.len().to_string()>
                    {if to_decide.is_empty() {
                        view! { <EmptyState title=text::none_to_decide() body=text::none_to_decide_body()/> }.into_any()
                    } else {
                        list(text::to_decide(), to_decide, Some(deciding))
                    }}
                </Panel>
                {(!to_ingest.is_empty()).then(|| view! {
                    <Panel title=text::to_ingest().to_owned() count=to_ingest.len().to_string()>{list(text::to_ingest(), to_ingest, None)}</Panel>
                })}
                <Panel title=text::mine().to_owned() count=mine.len().to_string()>
                    {if mine.is_empty() {
                        view! { <EmptyState title=text::nothing_asked() body=text::nothing_asked_body()/> }.into_any()
                    } else {
                        list(text::mine(), mine, None)
                    }}
                </Panel>
                <StartRequests title=approvals::my_starts() starts=my_starts deciding=deciding_start on_changed=again/>
            }.into_any()
        }).into_any())}
        {move || inbox.0.with(|inbox| !inbox.mail).unwrap_or(false).then(|| view! { <p class="subtle rail-note">{text::mail_off()}</p> })}
        <DecideDialog deciding requests/>
        <DecideStart deciding=deciding_start on_decided=again/>
    }
    .into_any()
}

fn list(
    label: &'static str,
    requests: Vec<AccessRequest>,
    deciding: Option<RwSignal<Option<AccessRequest>>>,
) -> AnyView {
    let mut heads = vec![
        Head::text(text::what()),
        Head::text(text::team()).fit(),
        Head::text(text::who()).fit(),
        Head::text(text::right()).fit(),
        Head::text(text::reason()),
        Head::number(text::age()),
        Head::text(text::state()).fit(),
    ];
    if deciding.is_some() {
        heads.push(Head::text(text::actions()).silent().fit());
    }
    let rows = requests.into_iter().map(|request| row(request, deciding)).collect_view();
    view! { <Table label heads>{rows}</Table> }.into_any()
}

fn state_words(request: &AccessRequest) -> String {
    match request.state {
        RequestState::Open => text::state_open().to_owned(),
        RequestState::Accepted => text::state_accepted(&request.decided_by),
        RequestState::Declined => text::state_declined(&request.decided_by),
    }
}

fn row(request: AccessRequest, deciding: Option<RwSignal<Option<AccessRequest>>>) -> AnyView {
    let own = StoredValue::new(request.clone());
    let right = match (request.kind, request.level) {
        (RequestKind::Access, Some(level)) => level.as_str(),
        _ => text::ingestion(),
    };
    let state = state_words(&request);
    let source = request.source.as_ref().map(|source| format!("{}, {}", source.kind, source.address));
    let for_team = request.for_team.as_ref().map(text::for_team);
    let label = text::decide_on(&request.title);
    view! {
        <tr>
            <th scope="row"><span class="row">{request.title.clone()}<span class="subtle">{source}</span></span></th>
            <td class="cell-fit">{request.team_slug.clone()}</td>
            <td class="cell-fit" title=request.asker_email.clone()><span class="row">{request.asker.clone()}<span class="subtle">{for_team}</span></span></td>
            <td class="cell-fit">{right}</td>
            <td class="muted" title=request.answer.clone()>{request.reason.clone()}</td>
            <td class="num cell-fit subtle"><Ago at=request.asked_at/></td>
            <td class="cell-fit" title=request.answer.clone()>{state}</td>
            {deciding.map(|deciding| view! {
                <td class="cell-fit">
                    <Button small=true title=label on_press=move |()| deciding.set(Some(own.get_value()))>{text::decide()}</Button>
                </td>
            })}
        </tr>
    }
    .into_any()
}
