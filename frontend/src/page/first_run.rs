//! First run: the one-time token from the server's log makes the first administrator.

use leptos::prelude::*;
use millrace_wire::session::{FirstRun, Session, SetupStatus};

use super::sign_in::foot;
use super::sign_in::frame::SignInFrame;
use crate::api::{self, Failure};
use crate::i18n::{first_run as text, words};
use crate::load::load;
use crate::route::Route;
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::failure::FailureNote;
use crate::ui::field::go_to_first_error;
use crate::ui::text_field::TextField;

const LEAST_PASSWORD: usize = 12;

#[component]
pub fn FirstRunPage() -> impl IntoView {
    let session = use_session();
    let setup = load(|| (), |()| async { api::get::<SetupStatus>("/setup").await });
    Effect::new(|_| document().set_title(&words::title(text::title())));
    let token = RwSignal::new(String::new());
    let name = RwSignal::new(String::new());
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);

    let problem = move |value: RwSignal<String>, words: &'static str| {
        value.with(|value| value.trim().is_empty()).then_some(words)
    };
    let short =
        move || (password.with(|password| password.chars().count()) < LEAST_PASSWORD).then(text::short_password);
    let at = move |field: &'static str, own: Option<&'static str>| {
        own.filter(|_| tried.get())
            .map(str::to_owned)
            .or_else(|| failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        tried.set(true);
        let missing = untrack(|| {
            [
                problem(token, text::needs_token()),
                problem(name, text::needs_name()),
                problem(email, text::needs_email()),
                short(),
            ]
            .iter()
            .any(Option::is_some)
        });
        if missing || busy.get_untracked() {
            go_to_first_error();
            return;
        }
        busy.set(true);
        failure.set(None);
        let body = FirstRun {
            token: token.get_untracked().trim().to_owned(),
            name: name.get_untracked().trim().to_owned(),
            email: email.get_untracked().trim().to_owned(),
            password: password.get_untracked(),
        };
        leptos::task::spawn_local(async move {
            match api::post::<Session>("/setup", &body).await {
                Ok(found) => session.current.set(Some(found)),
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    };
    let general = move || failure.get().filter(|failure| !failure.is_only_at(&["token", "name", "email", "password"]));
    let done_before = move || setup.with(|setup| !setup.needs_administrator).unwrap_or(false);
    view! {
        <SignInFrame foot=move || foot(setup.with(|setup| setup.version.clone()))>
            <form class="signin-form" on:submit=submit novalidate>
                <h1>{text::title()}</h1>
                {move || if done_before() {
                    view! {
                        <p>{text::done_before()}</p>
                        <p><a class="link" href=Route::SignIn.href()>{text::to_sign_in()}</a></p>
                    }
                    .into_any()
                } else {
                    view! {
                        <p>{text::intro()}</p>
                        <TextField label=text::token().to_owned() value=token code=true autofocus=true help=text::token_help().to_owned()
                            error=Signal::derive(move || at("token", problem(token, text::needs_token())))/>
                        <TextField label=text::name().to_owned() value=name autocomplete="name"
                            error=Signal::derive(move || at("name", problem(name, text::needs_name())))/>
                        <TextField label=text::email().to_owned() value=email kind="email" autocomplete="username"
                            error=Signal::derive(move || at("email", problem(email, text::needs_email())))/>
                        <TextField label=text::password().to_owned() value=password kind="password" autocomplete="new-password"
                            help=text::password_help().to_owned() error=Signal::derive(move || at("password", short()))/>
                        {move || general().map(|failure| view! { <FailureNote failure/> })}
                        <Button kind=Kind::Primary submits=true busy=busy>{text::submit()}</Button>
                    }
                    .into_any()
                }}
            </form>
        </SignInFrame>
    }
    .into_any()
}
