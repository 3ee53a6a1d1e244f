//! Another name for an organisation; its name in addresses stays.

use leptos::prelude::*;
use millrace_wire::organisation::{Organisation, OrganisationChange};

use crate::api::{self, Failure};
use crate::i18n::{organisation as text, words};
use crate::load::Loaded;
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn RenameDialog(open: RwSignal<bool>, slug: String, organisation: Loaded<Organisation>) -> impl IntoView {
    let (session, toasts) = (use_session(), use_toasts());
    let name = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if open.get() {
            name.set(untrack(|| organisation.with(|found| found.name.clone())).unwrap_or_default());
            failure.set(None);
        }
    });
    let path = super::path(&slug, "");
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let (path, body) = (path.clone(), OrganisationChange { name: name.get_untracked().trim().to_owned() });
        leptos::task::spawn_local(async move {
            match api::patch::<Organisation>(&path, &body).await {
                Ok(renamed) => {
                    toasts.good(text::renamed(&renamed.name));
                    organisation.reload();
                    session.refresh().await;
                    let _ = open.try_set(false);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let at_name =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("name"))));
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["name"]));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{text::rename()}</Button>
        }
    };
    view! {
        <Dialog open title=text::rename().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <TextField label=text::name().to_owned() value=name autofocus=true error=at_name/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
