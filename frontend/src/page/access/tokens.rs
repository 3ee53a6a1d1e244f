//! The API tokens of the person, in all their teams.

use leptos::prelude::*;
use millrace_wire::page::Page;
use millrace_wire::token::ApiToken;

use super::token_dialog::TokenDialog;
use crate::api::{self, Failure};
use crate::clock::{local, use_clock};
use crate::i18n::access as text;
use crate::load::{Loaded, load};
use crate::session::use_session;
use crate::ui::age::Ago;
use crate::ui::badge::{Badge, Tone};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn TokensTab(team: String) -> impl IntoView {
    let tokens = load(|| (), |()| async { api::get::<Page<ApiToken>>("/tokens").await.map(|page| page.items) });
    let making = RwSignal::new(false);
    let revoking = RwSignal::new(None::<ApiToken>);
    view! {
        <Panel title=text::tokens().to_owned() note=text::tokens_note().to_owned() end=move || view! {
            <Button kind=Kind::Primary small=true icon=Icon::Plus on_press=move |()| making.set(true)>{text::new_token()}</Button>
        }>
            {tokens.show(Shape::Rows(3), move |all| (move || if all.with(Vec::is_empty) {
                view! { <EmptyState icon=Icon::Key title=text::no_tokens() body=text::no_tokens_body()/> }.into_any()
            } else {
                list(all.get(), revoking)
            })
            .into_any())}
        </Panel>
        <TokenDialog open=making team tokens/>
        <RevokeToken revoking tokens/>
    }
    .into_any()
}

fn list(all: Vec<ApiToken>, revoking: RwSignal<Option<ApiToken>>) -> AnyView {
    let heads = vec![
        Head::text(text::token_name()),
        Head::text(text::team()).fit(),
        Head::text(text::scope()).fit(),
        Head::number(text::made()),
        Head::number(text::last_used()),
        Head::number(text::expires()),
        Head::text(text::revoke_action()).silent().fit(),
    ];
    let rows: Vec<AnyView> = all.into_iter().map(|token| row(token, revoking)).collect();
    view! { <Table label=text::tokens() heads>{rows}</Table> }.into_any()
}

fn row(token: ApiToken, revoking: RwSignal<Option<ApiToken>>) -> AnyView {
    let clock = use_clock();
    let team = use_session().current.with_untracked(|session| {
        session
            .as_ref()
            .and_then(|session| session.teams.iter().find(|team| team.team == token.team).map(|team| team.name.clone()))
    });
    let expires_at = token.expires_at;
    let expired = Memo::new(move |_| clock.get() > expires_at);
    let at = local(expires_at);
    let (label, name) = (text::revoke(&token.name), token.name.clone());
    let token_scope = token.scope.as_str();
    let (created_at, last_used_at) = (token.created_at, token.last_used_at);
    let own = StoredValue::new(token);
    view! {
        <tr>
            <th scope="row" class="medium">{name}</th>
            <td class="cell-fit">{team}</td>
            <td class="cell-fit">{token_scope}</td>
            <td class="num cell-fit subtle"><Ago at=created_at/></td>
            <td class="num cell-fit subtle">
                {match last_used_at {
                    Some(at) => view! { <Ago at=at/> }.into_any(),
                    None => text::never().into_any(),
                }}
            </td>
            <td class="num cell-fit">
                {move || if expired.get() {
                    view! { <Badge tone=Tone::Warn>{text::expired()}</Badge> }.into_any()
                } else {
                    view! { <time title=at.full()>{at.date()}</time> }.into_any()
                }}
            </td>
            <td class="cell-fit"><IconButton icon=Icon::Trash small=true label=label on_press=move |()| revoking.set(Some(own.get_value()))/></td>
        </tr>
    }
    .into_any()
}

#[component]
fn RevokeToken(revoking: RwSignal<Option<ApiToken>>, tokens: Loaded<Vec<ApiToken>>) -> impl IntoView {
    let toasts = use_toasts();
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if revoking.with(Option::is_some) {
            failure.set(None);
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            revoking.set(None);
        }
    });
    let name = Signal::derive(move || {
        revoking.with(|token| token.as_ref().map(|token| token.name.clone()).unwrap_or_default())
    });
    let confirm = Callback::new(move |()| {
        let Some(token) = revoking.get_untracked() else { return };
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::delete(&format!("/tokens/{}", token.id)).await {
                Ok(()) => {
                    toasts.good(text::revoked(&token.name));
                    open.set(false);
                    tokens.reload();
                }
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    });
    view! {
        <Confirm
            open
            title=Signal::derive(move || text::revoke_title(name.get()))
            action=text::revoke_action()
            busy=busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences=Signal::derive(|| vec![text::revoke_body().to_owned()])
            on_confirm=confirm
        />
    }
    .into_any()
}
