//! The dialog that makes a topic.

use leptos::prelude::*;
use millrace_wire::connection::{NewTopic, Topic};

use crate::api::{self, Failure};
use crate::i18n::{connections as text, words};
use crate::load::Loaded;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn NewTopicDialog(open: RwSignal<bool>, path: String, topics: Loaded<Vec<Topic>>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let partitions = RwSignal::new("4".to_owned());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let tried = RwSignal::new(false);
    let toasts = use_toasts();
    Effect::new(move |_| {
        if open.get() {
            name.set(String::new());
            failure.set(None);
            tried.set(false);
        }
    });
    let count =
        move || partitions.with(|text| text.trim().parse::<u32>().ok()).filter(|count| (1..=1_000).contains(count));
    let save = Callback::new(move |()| {
        tried.set(true);
        let Some(partitions) = untrack(count) else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let path = path.clone();
        let body = NewTopic { name: name.get_untracked().trim().to_owned(), partitions };
        leptos::task::spawn_local(async move {
            match api::post::<Topic>(&path, &body).await {
                Ok(made) => {
                    toasts.good(text::topic_made(&made.name));
                    open.set(false);
                    topics.reload();
                }
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    });
    let at =
        move |field: &'static str| failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field)));
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["name", "partitions"]));
    let partitions_error = Signal::derive(move || {
        let own = (tried.get() && count().is_none()).then(|| text::partitions_help().to_owned());
        own.or_else(|| at("partitions"))
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{words::create()}</Button>
        }
    };
    view! {
        <Dialog open title=text::new_topic().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); }>
                <TextField label=text::topic().to_owned() value=name code=true autofocus=true error=Signal::derive(move || at("name"))/>
                <TextField label=text::partitions().to_owned() value=partitions help=text::partitions_help().to_owned() error=partitions_error/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
