//! Moves a team here from another organisation; for administrators of the server.

use leptos::prelude::*;
use millrace_wire::organisation::TeamTaken;

use crate::api::{self, Failure};
use crate::format::percent;
use crate::i18n::{organisation as text, words};
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_field::TextField;
use crate::ui::toast::{Toast, use_toasts};

#[component]
pub(super) fn TakeTeamDialog(open: RwSignal<bool>, slug: String, changed: Callback<()>) -> impl IntoView {
    let (session, toasts) = (use_session(), use_toasts());
    let team = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if open.get() {
            team.set(String::new());
            failure.set(None);
        }
    });
    let save = Callback::new(move |()| {
        let named = team.get_untracked().trim().to_owned();
        if busy.get_untracked() || named.is_empty() {
            return;
        }
        let path = super::path(&slug, &format!("/teams/{}", percent::encode(&named)));
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::put::<TeamTaken>(&path, &()).await {
                Ok(taken) => {
                    let grants = taken.withdrawn_grants;
                    toasts.push(Toast {
                        good: true,
                        title: text::taken(&taken.team),
                        body: if grants > 0 { text::taken_grants(grants) } else { String::new() },
                        link: None,
                    });
                    session.refresh().await;
                    let _ = open.try_set(false);
                    changed.run(());
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{text::take_team()}</Button>
        }
    };
    view! {
        <Dialog open title=text::take_team().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <p class="muted">{text::take_body()}</p>
                <TextField label=text::team().to_owned() value=team code=true autofocus=true help=text::take_help().to_owned()/>
                {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
