//! Sign in: by e-mail and password, or, in demo mode, by one click.

use leptos::prelude::*;
use millrace_wire::session::{Session, SetupStatus, SignIn, SignOnRefusal};

use crate::address::use_address;
use crate::api::path::with_query;
use crate::api::{self, Failure};
use crate::i18n::{sign_in as text, words};
use crate::load::load;
use crate::route::Route;
use crate::session::use_session;
use crate::theme::use_look;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::callout::{Callout, Notice};
use crate::ui::failure::FailureNote;
use crate::ui::field::go_to_first_error;
use crate::ui::icon::Icon;
use crate::ui::text_field::TextField;

mod art;
pub mod frame;

use frame::SignInFrame;

#[component]
pub fn SignInPage() -> impl IntoView {
    let session = use_session();
    let address = use_address();
    let setup = load(|| (), |()| async { api::get::<SetupStatus>("/setup").await });
    Effect::new(move |_| {
        document().set_title(&words::title(text::title()));
        if setup.with(|setup| setup.needs_administrator) == Some(true) {
            address.replace(&Route::FirstRun);
        }
    });
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(None::<Way>);

    let enter = move |way: Way| {
        if busy.get_untracked().is_some() {
            return;
        }
        busy.set(Some(way));
        failure.set(None);
        leptos::task::spawn_local(async move {
            let answer = match way {
                Way::Password => {
                    let body =
                        SignIn { email: email.get_untracked().trim().to_owned(), password: password.get_untracked() };
                    api::post::<Session>("/session", &body).await
                }
                Way::Demo => api::post::<Session>("/session/demo", &serde_json::json!({})).await,
            };
            busy.set(None);
            match answer {
                Ok(found) => session.current.set(Some(found)),
                Err(refusal) => failure.set(Some(refusal)),
            }
        });
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        tried.set(true);
        if !email.get_untracked().trim().is_empty() && !password.get_untracked().is_empty() {
            enter(Way::Password);
        } else {
            go_to_first_error();
        }
    };
    let email_error = Signal::derive(move || {
        (tried.get() && email.with(|email| email.trim().is_empty())).then(|| text::needs_email().to_owned())
    });
    let password_error = Signal::derive(move || {
        (tried.get() && password.with(String::is_empty)).then(|| text::needs_password().to_owned())
    });
    let (next, refused) = (address.query("next"), address.query("refused"));
    let host = window().location().host().unwrap_or_default();
    let demo = Memo::new(move |_| setup.with(|setup| setup.demo).unwrap_or(false));
    view! {
        <SignInFrame foot=move || foot(setup.with(|setup| setup.version.clone()))>
            <form class="signin-form" on:submit=submit novalidate>
                <h1>{text::title()}</h1>
                <p>{text::to(host.clone())}</p>
                {move || demo.get().then(|| view! {
                    <Button kind=Kind::Primary busy=Signal::derive(move || busy.get() == Some(Way::Demo)) on_press=move |()| enter(Way::Demo)>
                        {text::demo()}
                    </Button>
                    <p class="subtle small">{text::demo_note()}</p>
                    <p class="signin-or">{text::or()}</p>
                })}
                {move || setup.with(|setup| setup.provider.clone()).flatten().map(|name| view! {
                    <a class="button" href=move || sign_on(next.get())>{text::with_provider(&name)}</a>
                    <p class="signin-or">{text::or()}</p>
                })}
                {move || refused.get().and_then(|word| word.parse::<SignOnRefusal>().ok()).map(|why| view! {
                    <Callout notice=Notice::Warn title=text::refused()>{refusal_words(why)}</Callout>
                })}
                <TextField label=text::email().to_owned() value=email kind="email" autocomplete="username" autofocus=true error=email_error/>
                <TextField label=text::password().to_owned() value=password kind="password" autocomplete="current-password" error=password_error/>
                {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
                {move || view! {
                    <Button
                        kind=if demo.get() { Kind::Plain } else { Kind::Primary }
                        submits=true
                        busy=Signal::derive(move || busy.get() == Some(Way::Password))
                    >
                        {text::submit()}
                    </Button>
                }}
                {move || setup.failure().get().map(|failure| view! { <FailureNote failure/> })}
            </form>
        </SignInFrame>
    }
    .into_any()
}

fn sign_on(next: Option<String>) -> String {
    let path = with_query("/session/sign-on", &[("next", next.as_deref().unwrap_or_default())]);
    format!("/api/v1{path}")
}

fn refusal_words(why: SignOnRefusal) -> &'static str {
    match why {
        SignOnRefusal::Expired => text::refused_expired(),
        SignOnRefusal::Unreachable => text::refused_unreachable(),
        SignOnRefusal::Declined => text::refused_declined(),
        SignOnRefusal::NotConfirmed => text::refused_not_confirmed(),
        SignOnRefusal::NoEmail => text::refused_no_email(),
        SignOnRefusal::NoAccount => text::refused_no_account(),
        SignOnRefusal::OtherPerson => text::refused_other_person(),
        SignOnRefusal::SwitchedOff => text::refused_switched_off(),
        SignOnRefusal::TooMany => text::refused_too_many(),
        SignOnRefusal::Failed => text::refused_failed(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Password,
    Demo,
}

/// Version and theme, below both sign-in pages.
pub(super) fn foot(version: Option<String>) -> AnyView {
    let look = use_look();
    view! {
        <span>{version.map(text::version)}</span>
        <span class="grow"></span>
        <IconButton icon=Icon::Theme small=true label=crate::i18n::shell::switch_theme().to_owned() on_press=move |()| look.switch()/>
    }
    .into_any()
}
