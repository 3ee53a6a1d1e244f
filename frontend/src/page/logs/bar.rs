//! The query, the time, and what can be taken away as a file.

use leptos::prelude::*;

use super::question::{Question, SPANS, Time, ask, set_span};
use crate::address::use_address;
use crate::clock::local;
use crate::i18n::logs as text;
use crate::ui::button::IconButton;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::search_field::SearchField;

fn span_words(word: &str) -> &'static str {
    match word {
        "15m" => text::last_15m(),
        "1h" => text::last_1h(),
        "7d" => text::last_7d(),
        "30d" => text::last_30d(),
        _ => text::last_24h(),
    }
}

#[component]
pub(super) fn QueryBar(question: Memo<Question>) -> impl IntoView {
    let address = use_address();
    let fixed = move || match question.with(|question| question.time.clone()) {
        Time::Fixed(from, to) => Some(text::from_to(local(from).full(), local(to).full())),
        Time::Last(_) => None,
    };
    let is_span =
        move |word: &str| question.with(|question| matches!(question.time, Time::Last(known) if known == word));
    view! {
        <div class="filter-bar logs-bar">
            <SearchField rests=true label=text::search() value=Signal::derive(move || question.get().q)
                on_input=move |value: String| ask(address, &value)/>
            <select class="select" aria-label=text::range() on:change=move |event| set_span(address, &event_target_value(&event))>
                {move || fixed().is_some().then(|| view! { <option value="" selected=true>{text::fixed()}</option> })}
                {SPANS.iter().map(|(word, _)| view! {
                    <option value=*word selected=move || is_span(word)>{span_words(word)}</option>
                }).collect_view()}
            </select>
            {move || fixed().map(|words| view! {
                <span class="chip chip-on">{words}
                    <IconButton icon=Icon::Close small=true label=text::whole_range() on_press=move |()| set_span(address, "24h")/>
                </span>
            })}
        </div>
    }
    .into_any()
}

#[component]
pub(super) fn Downloads(team: StoredValue<String>, question: Memo<Question>) -> impl IntoView {
    let items = Signal::derive(move || {
        let question = question.get();
        let item = |format: &str, label: &str| {
            let more = [("format", format), ("order", "oldest")];
            let path = team.with_value(|team| question.path(team, "/download", &more));
            MenuItem::go(label, Some(Icon::Download), format!("/api/v1{path}"))
        };
        vec![item("text", text::download_text()), item("jsonl", text::download_jsonl())]
    });
    view! {
        <Menu label=text::download().to_owned() worded=true class="button button-small" items>{text::download()}</Menu>
    }
    .into_any()
}
