//! Makes an API token and shows it this once.

use leptos::prelude::*;
use millrace_wire::team::Role;
use millrace_wire::token::{ApiToken, IssuedApiToken, NewApiToken};

use crate::api::{self, Failure};
use crate::i18n::{access as text, words};
use crate::load::Loaded;
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::code_block::CodeBlock;
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;

#[component]
pub(super) fn TokenDialog(open: RwSignal<bool>, team: String, tokens: Loaded<Vec<ApiToken>>) -> impl IntoView {
    let session = use_session();
    let teams: Vec<(String, String)> = session.current.with_untracked(|session| {
        session
            .iter()
            .flat_map(|session| session.teams.iter())
            .map(|team| (team.slug.clone(), team.name.clone()))
            .collect()
    });
    let teams = StoredValue::new(teams);
    let name = RwSignal::new(String::new());
    let of_team = RwSignal::new(team);
    let days = RwSignal::new("90".to_owned());
    let scope = RwSignal::new(String::new());
    // More than the person may cannot be chosen.
    let scopes = Signal::derive(move || {
        let role = session.membership_of(&of_team.get()).map(|membership| membership.role);
        let below = Role::ALL.iter().filter(|known| role.is_some_and(|role| **known <= role));
        let own = (String::new(), text::scope_own().to_owned());
        std::iter::once(own)
            .chain(below.map(|role| (role.as_str().to_owned(), role.as_str().to_owned())))
            .collect::<Vec<_>>()
    });
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let issued = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if open.get() {
            name.set(String::new());
            failure.set(None);
        } else {
            issued.set(None);
        }
    });
    let save = Callback::new(move |()| {
        let Some(membership) = untrack(|| session.membership_of(&of_team.get())) else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let body = NewApiToken {
            name: name.get_untracked().trim().to_owned(),
            team: membership.team,
            scope: scope.get_untracked().parse().ok(),
            expires_in_days: days.get_untracked().parse().unwrap_or(90),
        };
        leptos::task::spawn_local(async move {
            match api::post::<IssuedApiToken>("/tokens", &body).await {
                Ok(made) => {
                    issued.set(Some(made.secret));
                    tokens.reload();
                }
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    });
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let other =
        move || failure.get().filter(|failure| !failure.is_only_at(&["name", "team", "scope", "expires_in_days"]));
    let lengths = || {
        [("30", text::days_30()), ("90", text::days_90()), ("365", text::days_365())]
            .iter()
            .map(|(days, words)| ((*days).to_owned(), (*words).to_owned()))
            .collect::<Vec<_>>()
    };
    let title = Signal::derive(move || {
        if issued.with(Option::is_some) { text::issued_title() } else { text::new_token() }.to_owned()
    });
    let foot = move || {
        view! {
            {move || if issued.with(Option::is_some) {
                view! { <Button kind=Kind::Primary on_press=move |()| open.set(false)>{text::done()}</Button> }.into_any()
            } else {
                view! {
                    <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
                    <Button kind=Kind::Primary busy=busy on_press=save>{words::create()}</Button>
                }
                .into_any()
            }}
        }
    };
    view! {
        <Dialog open title foot=foot>
            {move || match issued.get() {
                Some(secret) => view! {
                    <p>{text::issued_body()}</p>
                    <div class="secret"><CodeBlock label=text::issued_title() text=secret/></div>
                }
                .into_any(),
                None => view! {
                    <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                        <TextField label=text::token_name().to_owned() value=name autofocus=true help=text::token_name_help().to_owned() error=at("name")/>
                        <div class="form-pair">
                            <SelectField label=text::team().to_owned() value=of_team options=teams.get_value() error=at("team")/>
                            <SelectField label=text::expires_in().to_owned() value=days options=lengths() error=at("expires_in_days")/>
                        </div>
                        <SelectField label=text::scope().to_owned() value=scope options=scopes help=text::scope_help().to_owned() error=at("scope")/>
                        {move || other().map(|failure| view! { <FailureNote failure/> })}
                        <button type="submit" hidden></button>
                    </form>
                }
                .into_any(),
            }}
        </Dialog>
    }
    .into_any()
}
