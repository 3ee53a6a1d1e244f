//! Who the table belongs to, its tags, and which changes it accepts: a dialog that changes them.

use leptos::prelude::*;
use millrace_wire::table::Table;
use millrace_wire::table_version::{Compatibility, TableChange};

use crate::api::{self, Failure};
use crate::i18n::{table_versions as text, words};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn AboutDialog(open: RwSignal<bool>, path: String, table: Signal<Table>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let (owner, tags, sharers, mode) = (blank(), blank(), blank(), blank());
    Effect::new(move |_| {
        if open.get() {
            failure.set(None);
            table.with_untracked(|table| {
                owner.set(table.owner.clone());
                tags.set(table.tags.join(", "));
                sharers.set(table.sharers.join(", "));
                mode.set(table.compatibility.as_str().to_owned());
            });
        }
    });
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let change = TableChange {
            owner: Some(owner.get_untracked()),
            tags: Some(listed(&tags.get_untracked())),
            sharers: Some(listed(&sharers.get_untracked())),
            compatibility: mode.get_untracked().parse().ok(),
        };
        let path = path.clone();
        leptos::task::spawn_local(async move {
            // The page asks for the table again by itself: a change is announced to all.
            match api::patch::<Table>(&path, &change).await {
                Ok(table) => {
                    let _ = open.try_set(false);
                    toasts.good(text::about_saved(&table.draft.name));
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["owner", "tags", "sharers"]));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{words::save()}</Button>
        }
    };
    let modes: Vec<(String, String)> =
        Compatibility::ALL.iter().map(|mode| (mode.as_str().to_owned(), mode_words(*mode).to_owned())).collect();
    view! {
        <Dialog open title=text::about().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); }>
                <TextField label=text::owner().to_owned() value=owner is_optional=true autofocus=true help=text::owner_help().to_owned() error=at("owner")/>
                <TextField label=text::tags().to_owned() value=tags is_optional=true help=text::tags_help().to_owned() error=at("tags")/>
                <TextField label=text::sharers().to_owned() value=sharers is_optional=true help=text::sharers_help().to_owned() error=at("sharers")/>
                <SelectField label=text::compatibility().to_owned() value=mode options=modes.clone() help=text::compatibility_help().to_owned()/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}

fn blank() -> RwSignal<String> {
    RwSignal::new(String::new())
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

pub(super) fn mode_words(mode: Compatibility) -> &'static str {
    match mode {
        Compatibility::None => text::mode_none(),
        Compatibility::Backward => text::mode_backward(),
        Compatibility::Forward => text::mode_forward(),
        Compatibility::Full => text::mode_full(),
    }
}
