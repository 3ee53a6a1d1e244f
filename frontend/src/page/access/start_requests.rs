//! Starts that wait for the person's approval, and those that the person asked for.

use leptos::prelude::*;
use millrace_wire::approval::{ApprovalState, StartApproval};

use crate::i18n::{approvals as text, catalogue};
use crate::route::{JobTab, TeamRoute};
use crate::ui::age::Ago;
use crate::ui::button::Button;
use crate::ui::panel::Panel;
use crate::ui::table::{Head, Table};
use crate::ui::toast::use_toasts;
use crate::widget::approval::{state_words, way_words, withdraw};

/// Nothing where there is none: most teams start without approval.
#[component]
pub(super) fn StartRequests(
    title: &'static str,
    starts: Vec<StartApproval>,
    deciding: RwSignal<Option<StartApproval>>,
    #[prop(into)] on_changed: Callback<()>,
) -> impl IntoView {
    if starts.is_empty() {
        return ().into_any();
    }
    let count = starts.len().to_string();
    let heads = vec![
        Head::text(text::job()),
        Head::text(catalogue::team()).fit(),
        Head::text(catalogue::who()).fit(),
        Head::text(text::how()).fit(),
        Head::text(catalogue::reason()),
        Head::number(catalogue::age()),
        Head::text(catalogue::state()).fit(),
        Head::text(catalogue::actions()).silent().fit(),
    ];
    let rows = starts.into_iter().map(|asked| row(asked, deciding, on_changed)).collect_view();
    view! { <Panel title=title.to_owned() count=count><Table label=title heads>{rows}</Table></Panel> }.into_any()
}

fn row(asked: StartApproval, deciding: RwSignal<Option<StartApproval>>, on_changed: Callback<()>) -> AnyView {
    let toasts = use_toasts();
    let job = TeamRoute::Job(asked.job, JobTab::Overview).of(&asked.team_slug).href();
    let (own, open) = (asked.own, asked.state == ApprovalState::Open);
    let kept = StoredValue::new(asked.clone());
    let action = open.then(|| {
        if own {
            let label = text::withdraw_start(&asked.job_name, asked.version);
            let press = move |()| kept.with_value(|asked| withdraw(asked, toasts, on_changed));
            view! { <Button small=true title=label on_press=press>{text::withdraw()}</Button> }.into_any()
        } else {
            let label = text::decide_on(&asked.job_name, asked.version);
            let press = move |()| deciding.set(Some(kept.get_value()));
            view! { <Button small=true title=label on_press=press>{catalogue::decide()}</Button> }.into_any()
        }
    });
    let said = if asked.not_started.is_empty() { asked.answer.clone() } else { asked.not_started.clone() };
    let (way, state) = (way_words(&asked), state_words(&asked));
    view! {
        <tr>
            <th scope="row"><span class="row"><a class="link" href=job>{asked.job_name.clone()}</a><span class="subtle">{text::version(asked.version)}</span></span></th>
            <td class="cell-fit">{asked.team_slug.clone()}</td>
            <td class="cell-fit" title=asked.asker_email.clone()>{asked.asker.clone()}</td>
            <td class="cell-fit" title=asked.restored_from.clone()>{way}</td>
            <td class="muted">{asked.reason.clone()}</td>
            <td class="num cell-fit subtle"><Ago at=asked.asked_at/></td>
            <td class="cell-fit" title=said>{state}</td>
            <td class="cell-fit">{action}</td>
        </tr>
    }
    .into_any()
}
