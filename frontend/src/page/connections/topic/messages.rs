//! Messages of a topic: newest, live, oldest, from an offset, from a time; one partition or all; with a text in them. All of
//! it is in the address, so that a view can be sent.

use std::time::Duration;

use leptos::prelude::*;
use millrace_wire::connection::{Message, TopicDetail};
use millrace_wire::page::Page;

use super::message;
use crate::address::use_address;
use crate::api;
use crate::api::path::with_query;
use crate::clock::{from_local_field, local};
use crate::i18n::connections as text;
use crate::load::load;
use crate::ui::button::{Button, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::search_field::SearchField;
use crate::ui::segmented::Segmented;
use crate::ui::skeleton::Shape;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Newest,
    /// The newest, read again and again.
    Live,
    Oldest,
    Offset,
    Time,
}

/// How often a live view reads.
const LIVE_EVERY: Duration = Duration::from_secs(2);

impl Mode {
    const ALL: [Mode; 5] = [Mode::Newest, Mode::Live, Mode::Oldest, Mode::Offset, Mode::Time];

    const fn word(self) -> &'static str {
        match self {
            Mode::Newest => "newest",
            Mode::Live => "live",
            Mode::Oldest => "oldest",
            Mode::Offset => "offset",
            Mode::Time => "time",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Mode::Newest => text::newest(),
            Mode::Live => text::live(),
            Mode::Oldest => text::oldest(),
            Mode::Offset => text::from_offset(),
            Mode::Time => text::from_time(),
        }
    }
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq)]
struct Question {
    mode: String,
    partition: String,
    offset: String,
    at: String,
    contains: String,
}

impl Question {
    /// What has to be given first.
    fn lacks(&self) -> Option<&'static str> {
        match self.mode.as_str() {
            "offset" if self.partition.is_empty() => Some(text::needs_partition()),
            "offset" if self.offset.is_empty() => Some(text::needs_offset()),
            "time" if self.at.is_empty() => Some(text::needs_time()),
            _ => None,
        }
    }

    fn path(&self, topic: &str) -> String {
        with_query(
            &format!("{topic}/messages"),
            &[
                ("mode", if self.mode == "live" { "newest" } else { &self.mode }),
                ("partition", &self.partition),
                ("offset", if self.mode == "offset" { &self.offset } else { "" }),
                ("at", if self.mode == "time" { &self.at } else { "" }),
                ("contains", &self.contains),
                ("limit", "100"),
            ],
        )
    }
}

#[component]
pub(super) fn MessagesTab(path: String, detail: Signal<TopicDetail>) -> impl IntoView {
    let address = use_address();
    let part = |name| address.query(name);
    let (mode, partition, offset, at, contains) =
        (part("mode"), part("partition"), part("offset"), part("at"), part("contains"));
    let question = Memo::new(move |_| Question {
        mode: mode
            .get()
            .filter(|word| Mode::ALL.iter().any(|known| known.word() == word))
            .unwrap_or_else(|| "newest".to_owned()),
        partition: partition.get().unwrap_or_default(),
        offset: offset.get().filter(|text| text.parse::<i64>().is_ok()).unwrap_or_default(),
        at: at.get().filter(|text| text.parse::<i64>().is_ok()).unwrap_or_default(),
        contains: contains.get().unwrap_or_default(),
    });
    let messages = load(
        move || question.get(),
        move |question| {
            let path = question.path(&path);
            async move {
                if question.lacks().is_some() {
                    return Ok(Vec::new());
                }
                api::get::<Page<Message>>(&path).await.map(|page| page.items)
            }
        },
    );
    let chosen = Signal::derive(move || {
        let word = question.with(|question| question.mode.clone());
        Mode::ALL.into_iter().find(|mode| mode.word() == word).unwrap_or(Mode::Newest)
    });
    // A message that somebody reads stays where it is.
    let opened = RwSignal::new(0_u32);
    let live = Memo::new(move |_| chosen.get() == Mode::Live);
    let read_on = move || {
        let waits = live.get_untracked() && opened.get_untracked() == 0 && !messages.busy().get_untracked();
        if waits && question.with_untracked(|question| question.lacks().is_none()) {
            messages.reload();
        }
    };
    if let Ok(handle) = set_interval_with_handle(read_on, LIVE_EVERY) {
        on_cleanup(move || handle.clear());
    }
    let busy = Signal::derive(move || messages.busy().get() && !live.get());
    let modes = Mode::ALL.iter().map(|mode| (*mode, mode.label().to_owned())).collect();
    let number = move || {
        messages.with(|all| {
            let shown = text::shown(all.len());
            match (live.get(), opened.get()) {
                (true, 0) => text::shown_live(shown),
                (true, _) => text::shown_held(shown),
                _ => shown,
            }
        })
    };
    view! {
        <div class="filters filters-inset">
            <Segmented label=text::mode() options=modes value=chosen on_choose=move |mode: Mode| address.set_query("mode", Some(mode.word()))/>
            <PartitionSelect detail value=Signal::derive(move || question.with(|question| question.partition.clone()))/>
            {move || match chosen.get() {
                Mode::Offset => view! {
                    <input class="input input-small message-start num" inputmode="numeric" aria-label=text::offset() placeholder=text::offset()
                        prop:value=move || offset.get().unwrap_or_default()
                        on:change=move |event| address.set_query("offset", Some(event_target_value(&event).trim()))/>
                }
                .into_any(),
                Mode::Time => view! {
                    <input class="input input-small message-start" type="datetime-local" step="1" aria-label=text::time()
                        prop:value=move || at.get().and_then(|at| at.parse().ok()).map(|at| local(at).field())
                        on:change=move |event| {
                            let at = from_local_field(&event_target_value(&event)).map(|at| at.to_string());
                            address.set_query("at", at.as_deref());
                        }/>
                }
                .into_any(),
                Mode::Newest | Mode::Live | Mode::Oldest => ().into_any(),
            }}
            <Contains/>
            <span class="filters-end">{number}</span>
            <Button small=true icon=Icon::Restart kind=Kind::Quiet busy=busy on_press=move |()| messages.reload()>{text::read_again()}</Button>
        </div>
        {messages.show(Shape::Rows(10), move |all| {
            let face = Memo::new(move |_| match (question.with(Question::lacks), all.with(Vec::is_empty)) {
                (Some(words), _) => Face::Lacks(words),
                (None, true) => Face::Empty(question.with(|question| !question.contains.is_empty())),
                (None, false) => Face::Rows,
            });
            (move || match face.get() {
                Face::Lacks(words) => view! { <p class="muted">{words}</p> }.into_any(),
                Face::Empty(filtered) => {
                    let body = if filtered { text::no_messages_match() } else { text::no_messages_body() };
                    view! { <EmptyState icon=Icon::Topic title=text::no_messages() body=body/> }.into_any()
                }
                Face::Rows => message::list(all, opened),
            })
            .into_any()
        })}
    }
    .into_any()
}

#[derive(Clone, Copy, PartialEq)]
enum Face {
    /// Something has to be given first.
    Lacks(&'static str),
    Empty(bool),
    Rows,
}

#[component]
fn PartitionSelect(detail: Signal<TopicDetail>, value: Signal<String>) -> impl IntoView {
    let address = use_address();
    view! {
        <select class="select select-small message-partition" aria-label=text::partition()
            on:change=move |event| address.set_query("partition", Some(&event_target_value(&event)))>
            <option value="" selected=move || value.with(String::is_empty)>{text::all_partitions()}</option>
            {move || detail.with(|detail| detail.partitions.iter().map(|partition| {
                let number = partition.partition.to_string();
                let own = number.clone();
                view! {
                    <option value=number.clone() selected=move || value.with(|value| *value == own)>{text::partition_of(&number)}</option>
                }
            }).collect_view())}
        </select>
    }
    .into_any()
}

/// Asks when typing is done: each question reads the topic.
#[component]
fn Contains() -> impl IntoView {
    let address = use_address();
    let asked = address.query("contains");
    let value = Signal::derive(move || asked.get().unwrap_or_default());
    let on_input = move |words: String| address.set_query("contains", Some(&words));
    view! { <SearchField small=true rests=true label=text::contains() value on_input=on_input/> }.into_any()
}
