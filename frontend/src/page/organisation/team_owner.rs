//! Names an owner of a team of the organisation.

use leptos::prelude::*;
use millrace_wire::organisation::{NameTeamOwner, OrganisationTeam};
use millrace_wire::team::Member;

use crate::api::{self, Failure};
use crate::format::percent;
use crate::i18n::{organisation as text, words};
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn TeamOwnerDialog(
    naming: RwSignal<Option<OrganisationTeam>>,
    slug: String,
    changed: Callback<()>,
) -> impl IntoView {
    let (session, toasts) = (use_session(), use_toasts());
    let open = RwSignal::new(false);
    let email = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if naming.with(Option::is_some) {
            let own = session.current.with_untracked(|session| session.as_ref().map(|own| own.user.email.clone()));
            email.set(own.unwrap_or_default());
            failure.set(None);
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            naming.set(None);
        }
    });
    let save = Callback::new(move |()| {
        let Some(team) = naming.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        let path = super::path(&slug, &format!("/teams/{}/owners", percent::encode(&team.slug)));
        let body = NameTeamOwner { email: email.get_untracked().trim().to_owned() };
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::put::<Member>(&path, &body).await {
                Ok(member) => {
                    toasts.good(text::owner_named(&member.name, &team.name));
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
    let at_email =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("email"))));
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["email"]));
    let title = Signal::derive(move || {
        naming.with(|team| team.as_ref().map(|team| text::name_owner_of(&team.name)).unwrap_or_default())
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{text::name_owner()}</Button>
        }
    };
    view! {
        <Dialog open title foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <p class="muted">{text::name_owner_body()}</p>
                <TextField label=text::email().to_owned() value=email kind="email" autofocus=true error=at_email/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
