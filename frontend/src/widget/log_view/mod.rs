//! The log of a job's run: the newest lines, live, with level and text filter and an address for every line.
//!
//! Promises: the view stays where somebody scrolled to, and says how many lines came meanwhile.

mod lines;

use leptos::prelude::*;
use leptos::{html, task::spawn_local};
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::log::{LogLevel, LogLine, LogPage};
use wasm_bindgen::JsCast;

use crate::address::use_address;
use crate::api::stream::{Stream, StreamEvent};
use crate::api::{self, Failure};
use crate::clock::local;
use crate::format::number;
use crate::i18n::log as text;
use crate::ui::button::{Button, Kind};
use crate::ui::copy_button::CopyButton;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureView;
use crate::ui::icon::Icon;
use crate::ui::search_field::SearchField;
use crate::ui::segmented::Segmented;
use crate::ui::skeleton::{Shape, Skeleton};
use lines::{Filter, Lines, parts};

const PAGE: u32 = 300;

#[component]
pub fn LogView(
    team: String,
    job: JobId,
    /// None is the newest run.
    #[prop(into)]
    run: Signal<Option<RunId>>,
    /// The run ended: nothing more will come.
    #[prop(into)]
    ended: Signal<bool>,
) -> impl IntoView {
    let address = use_address();
    let level_word = address.query("level");
    let contains = address.query("q");
    let line_asked = address.query("line");
    let level = Memo::new(move |_| level_word.get().and_then(|word| word.parse::<LogLevel>().ok()));
    let filter = Memo::new(move |_| Filter { level: level.get(), contains: contains.get().unwrap_or_default() });

    let lines = RwSignal::new(None::<Lines>);
    let failure = RwSignal::new(None::<Failure>);
    let following = RwSignal::new(true);
    let missed = RwSignal::new(0_u64);
    let stream = StoredValue::new_local(None::<Stream>);
    let asked = StoredValue::new(0_u32);
    let again = RwSignal::new(0_u32);
    let base = StoredValue::new(api::path::team(&team, &format!("jobs/{job}/logs")));
    let scroller = NodeRef::<html::Div>::new();

    let query = move |before: Option<u64>, after: Option<u64>| {
        let run = run.get_untracked().map(|run| run.to_string()).unwrap_or_default();
        let filter = filter.get_untracked();
        let level = filter.level.map(LogLevel::as_str).unwrap_or_default();
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        base.with_value(|base| {
            api::path::with_query(
                base,
                &[
                    ("run", &run),
                    ("before", &number(before)),
                    ("after", &number(after)),
                    ("level", level),
                    ("contains", &filter.contains),
                    ("limit", &PAGE.to_string()),
                ],
            )
        })
    };

    // Another run or filter: a fresh page, then the tail after its last line.
    Effect::new(move |_| {
        run.track();
        filter.track();
        again.track();
        let number = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        stream.set_value(None);
        let wanted = line_asked.get_untracked().and_then(|line| line.parse::<u64>().ok());
        // A linked line stands in the middle of what is loaded first.
        let path = untrack(|| query(wanted.map(|line| line.saturating_add(u64::from(PAGE) / 2)), None));
        spawn_local(async move {
            let answer = api::get::<LogPage>(&path).await;
            if number.is_none() || asked.try_get_value() != number {
                return;
            }
            match answer {
                Ok(page) => {
                    failure.set(None);
                    let next = page.next_seq;
                    lines.set(Some(Lines { all: page.lines, more_before: page.more_before }));
                    missed.set(0);
                    if let Some(line) = wanted {
                        following.set(false);
                        request_animation_frame(move || show_line(line));
                    } else {
                        following.set(true);
                    }
                    let run = run.get_untracked().map(|run| run.to_string()).unwrap_or_default();
                    let after = next.saturating_sub(1).to_string();
                    let path = base.with_value(|base| {
                        api::path::with_query(&format!("{base}/tail"), &[("run", &run), ("after", &after)])
                    });
                    stream.set_value(Some(Stream::open(&path, move |event| {
                        let StreamEvent::Message(message) = event else { return };
                        let Ok(line) = serde_json::from_str::<LogLine>(&message) else { return };
                        if filter.try_get_untracked().is_some_and(|filter| filter.admits(&line)) {
                            let _ = lines.try_update(|lines| lines.get_or_insert_default().push(line));
                            if following.try_get_untracked() == Some(false) {
                                let _ = missed.try_update(|missed| *missed += 1);
                            }
                        }
                    })));
                }
                Err(reason) => failure.set(Some(reason)),
            }
        });
    });
    on_cleanup(move || {
        let _ = stream.try_set_value(None);
    });
    Effect::new(move |_| {
        lines.track();
        if following.get() {
            request_animation_frame(move || {
                if let Some(scroller) = scroller.try_get_untracked().flatten() {
                    scroller.set_scroll_top(scroller.scroll_height());
                }
            });
        }
    });
    let scrolled = move |_| {
        if let Some(scroller) = scroller.get_untracked() {
            let at_end = scroller.scroll_top() + scroller.client_height() + 24 >= scroller.scroll_height();
            if following.get_untracked() != at_end {
                following.set(at_end);
                if at_end {
                    missed.set(0);
                }
            }
        }
    };
    let load_older = Callback::new(move |()| {
        let first =
            lines.with_untracked(|lines| lines.as_ref().and_then(|lines| lines.all.first().map(|line| line.seq)));
        following.set(false);
        let path = query(first, None);
        spawn_local(async move {
            match api::get::<LogPage>(&path).await {
                Ok(page) => {
                    let _ = lines.try_update(|lines| {
                        lines.get_or_insert_default().prepend(page.lines, page.more_before);
                    });
                }
                Err(reason) => failure.set(Some(reason)),
            }
        });
    });
    let follow = Callback::new(move |()| {
        missed.set(0);
        following.set(true);
        address.set_query("line", None);
    });

    let choose_level =
        Callback::new(move |level: Option<LogLevel>| address.set_query("level", level.map(LogLevel::as_str)));
    let levels = vec![
        (None, text::all_levels().to_owned()),
        (Some(LogLevel::Info), text::from_info().to_owned()),
        (Some(LogLevel::Warn), text::from_warn().to_owned()),
        (Some(LogLevel::Error), text::only_error().to_owned()),
    ];
    view! {
        <div class="log-view">
            <div class="filter-bar log-bar">
                <SearchField small=true rests=true label=text::search().to_owned() value=Signal::derive(move || contains.get().unwrap_or_default())
                    on_input=move |value: String| address.set_query("q", Some(&value))/>
                <Segmented label=text::level().to_owned() options=levels value=level
                    on_choose=choose_level/>
                <span class="grow"></span>
                <span class="subtle small" role="status">{move || match (ended.get(), following.get()) {
                    (true, _) => text::ended().to_owned(),
                    (false, true) => text::following().to_owned(),
                    (false, false) => text::paused(number::counted(missed.get(), text::line(), text::lines())),
                }}</span>
                {move || (!following.get()).then(|| view! {
                    <Button small=true icon=Icon::Play on_press=follow>{text::follow()}</Button>
                })}
            </div>
            {move || failure.get().map(|reason| view! {
                <FailureView failure=reason retry=move || again.update(|count| *count += 1)/>
            })}
            <div class="log pane log-scroll" node_ref=scroller role="log" aria-live="off" tabindex="0" aria-label=text::label() on:scroll=scrolled>
                {move || lines.with(|lines| lines.as_ref().is_some_and(|lines| lines.more_before)).then(|| view! {
                    <Button kind=Kind::Quiet small=true on_press=load_older>{text::older()}</Button>
                })}
                {move || match lines.with(|lines| lines.as_ref().map(|lines| lines.all.is_empty())) {
                    None if failure.get().is_none() => view! { <Skeleton shape=Shape::Rows(8)/> }.into_any(),
                    Some(true) if filter.get() == Filter::default() => {
                        view! { <EmptyState title=text::empty().to_owned() body=text::empty_body().to_owned()/> }.into_any()
                    }
                    Some(true) => view! { <EmptyState title=text::no_match().to_owned() body=text::no_match_body().to_owned()/> }.into_any(),
                    _ => ().into_any(),
                }}
                <For each=move || lines.with(|lines| lines.as_ref().map(|lines| lines.all.clone()).unwrap_or_default())
                    key=|line| (line.run, line.seq) let(line)>
                    <Row line filter line_asked/>
                </For>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Row(line: LogLine, filter: Memo<Filter>, line_asked: Memo<Option<String>>) -> impl IntoView {
    let address = use_address();
    let open = RwSignal::new(false);
    let seq = line.seq.to_string();
    let own = seq.clone();
    let linked = move || line_asked.with(|asked| asked.as_deref() == Some(own.as_str()));
    let moment = local(line.at);
    let message = line.message.clone();
    let marked = move || {
        filter.with(|filter| {
            parts(&message, &filter.contains)
                .into_iter()
                .enumerate()
                .map(|(index, part)| {
                    let part = part.to_owned();
                    if index % 2 == 1 { view! { <mark>{part}</mark> }.into_any() } else { part.into_any() }
                })
                .collect_view()
        })
    };
    let at = moment.millis();
    let (open_label, link_label) = (text::open_line(&at), text::link_line(&at));
    let toggle = move |_| open.update(|open| *open = !*open);
    let link = move |_| {
        address.set_query("line", Some(&seq));
        let href = leptos::prelude::window().location().href().unwrap_or_default();
        let _ = leptos::prelude::window().navigator().clipboard().write_text(&href);
    };
    let fields = line.clone();
    view! {
        <div class="log-line" class:log-linked=linked id=format!("line-{}", line.seq) data-level=line.level.as_str()
            data-open=move || open.get().then_some("")>
            <button type="button" class="log-open" aria-expanded=move || open.get().to_string() aria-label=open_label on:click=toggle>
                {move || if open.get() { Icon::Down } else { Icon::Right }.small()}
            </button>
            <time title=moment.full()>{at.clone()}</time>
            <span class="log-level">{line.level.as_str()}</span>
            <span class="log-source" title=line.target.clone()>{source(&line.target)}</span>
            <span class="log-message">{marked}</span>
            <button type="button" class="log-open log-link" aria-label=link_label title=text::copy_link() on:click=link>{Icon::Link.small()}</button>
        </div>
        {move || open.get().then(|| view! {
            <dl class="log-fields">
                <dt>{text::time()}</dt><dd>{moment.full()}</dd>
                <dt>{text::source()}</dt><dd>{fields.target.clone()}</dd>
                <dt>{text::attempt()}</dt><dd>{fields.attempt}</dd>
                <dt>{text::worker()}</dt><dd>{fields.worker.clone()}</dd>
                <dt>{text::number()}</dt><dd>{fields.seq}</dd>
                <dt></dt><dd><CopyButton label=text::copy_line().to_owned() text=fields.message.clone()/></dd>
            </dl>
        })}
    }
    .into_any()
}

/// The last part of a module path says most.
fn source(target: &str) -> String {
    target.rsplit("::").next().unwrap_or(target).to_owned()
}

fn show_line(seq: u64) {
    let element = document().get_element_by_id(&format!("line-{seq}"));
    if let Some(element) = element.and_then(|element| element.dyn_into::<leptos::web_sys::HtmlElement>().ok()) {
        element.scroll_into_view();
    }
}
