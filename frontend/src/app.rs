//! The whole: who is signed in decides between the sign-in pages and the shell; the address decides the page.

use leptos::prelude::*;
use millrace_wire::session::{Session, SetupStatus};

use crate::address::{Address, use_address};
use crate::api::{self, Failure};
use crate::clock::Clock;
use crate::format::percent;
use crate::page;
use crate::parts;
use crate::route::{AccessTab, Route, TeamRoute};
use crate::session::{SessionState, use_session};
use crate::shell::Shell;
use crate::theme::Look;
use crate::ui::failure::{FailureView, broken_view};
use crate::ui::skeleton::{Shape, Skeleton};
use crate::ui::toast::{ToastStack, Toasts};

#[derive(Clone, Copy, PartialEq)]
enum Gate {
    Asking,
    SignedOut,
    SignedIn,
    Failed,
}

#[component]
pub fn App() -> impl IntoView {
    let address = Address::provide();
    Clock::provide();
    Look::provide();
    Toasts::provide();
    let session = SessionState::provide();
    let failure = RwSignal::new(None::<Failure>);
    let asked = RwSignal::new(false);

    let ask = move || {
        failure.set(None);
        leptos::task::spawn_local(async move {
            match ask_session().await {
                Ok(found) => session.current.set(found),
                Err(other) => failure.set(Some(other)),
            }
            asked.set(true);
        });
    };
    ask();
    api::on_signed_out(move || {
        if session.current.with_untracked(Option::is_some) {
            session.current.set(None);
        }
    });

    let gate = Memo::new(move |_| {
        if session.current.with(Option::is_some) {
            Gate::SignedIn
        } else if failure.with(Option::is_some) {
            Gate::Failed
        } else if asked.get() {
            Gate::SignedOut
        } else {
            Gate::Asking
        }
    });
    Effect::new(move |_| redirect(gate.get(), address, session));

    let signed_out_page = Memo::new(move |_| address.route().get() == Route::FirstRun);
    let broken = crate::panic::watch();
    view! {
        {move || if broken.get() {
            broken_view()
        } else {
            match gate.get() {
            Gate::Asking => view! { <Skeleton shape=Shape::Nothing/> }.into_any(),
            Gate::Failed => view! {
                <main class="page">
                    {move || failure.get().map(|failure| view! { <FailureView failure retry=move |()| ask()/> })}
                </main>
            }
            .into_any(),
            Gate::SignedOut if signed_out_page.get() => view! { <page::first_run::FirstRunPage/> }.into_any(),
            Gate::SignedOut => view! { <page::sign_in::SignInPage/> }.into_any(),
            Gate::SignedIn => view! { <Shell>{pages()}</Shell> }.into_any(),
        }}}
        <ToastStack/>
    }
}

/// Who is signed in, if anybody. Asked of the public address first: a refusal would stand in the browser's console as
/// an error, though nothing is wrong.
async fn ask_session() -> Result<Option<Session>, Failure> {
    if !api::get::<SetupStatus>("/setup").await?.signed_in {
        return Ok(None);
    }
    match api::get::<Session>("/session").await {
        Ok(found) => Ok(Some(found)),
        Err(refusal) if refusal.status == 401 => Ok(None),
        Err(other) => Err(other),
    }
}

/// Sign-in pages are for those who are not signed in, everything else for those who are.
fn redirect(gate: Gate, address: Address, session: SessionState) {
    let route = address.route().get();
    match (gate, route) {
        (Gate::SignedOut, Route::SignIn | Route::FirstRun) => {}
        (Gate::SignedOut, Route::Home) => address.replace(&Route::SignIn),
        (Gate::SignedOut, _) => {
            let back = percent::query(&[("next".to_owned(), address.full())]);
            address.replace_with(&format!("/sign-in?{back}"));
        }
        (Gate::SignedIn, Route::Home | Route::FirstRun) => address.replace(&session.start()),
        (Gate::SignedIn, Route::Requests) => {
            address.replace(&TeamRoute::Access(AccessTab::Requests).of(&session.team_now()));
        }
        (Gate::SignedIn, Route::SignIn) => {
            let next = untrack(|| address.query("next").get());
            match next.filter(|next| next.starts_with('/') && !next.starts_with("//")) {
                Some(next) => address.replace_with(&next),
                None => address.replace(&session.start()),
            }
        }
        _ => {}
    }
}

/// The page of the address, built anew when the address is of another object or page, and kept when only a tab or a
/// filter changes.
fn pages() -> AnyView {
    let route = use_address().route();
    let session = use_session();
    let identity = Memo::new(move |_| route.get().identity());
    (move || {
        let route = identity.get();
        match route {
            Route::Settings | Route::Organisation(..) | Route::Primitives => parts::personal(route),
            Route::Team(team, inner) => match untrack(|| session.membership_of(&team)) {
                Some(_) => parts::team(team, inner),
                None if untrack(|| session.is_guest_of(&team)) && inner.is_of_one_object() => parts::team(team, inner),
                None => view! { <page::not_found::NotFoundPage/> }.into_any(),
            },
            // The other addresses lead elsewhere in a moment.
            Route::Home | Route::SignIn | Route::FirstRun | Route::Requests => ().into_any(),
            Route::NotFound => view! { <page::not_found::NotFoundPage/> }.into_any(),
        }
    })
    .into_any()
}
