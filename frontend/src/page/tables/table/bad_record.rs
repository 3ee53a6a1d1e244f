//! One bad record: its bytes, the reason, and what can be done about it.

use leptos::prelude::*;
use millrace_wire::bad_record::{
    BadRecordDetail, DecodeRecord, DecodedRecord, RecordBytes, ReplayRecord, Replayed, ReplayedTo,
};

use super::bad_records::Inbox;
use crate::address::use_address;
use crate::api::{self, Failure};
use crate::format::number::grouped;
use crate::i18n::{bad_records as text, words};
use crate::load::{Loaded, load};
use crate::ui::age::Ago;
use crate::ui::button::{Button, Kind};
use crate::ui::callout::{Callout, Notice};
use crate::ui::check_field::CheckField;
use crate::ui::dialog::Dialog;
use crate::ui::facts::{Fact, Facts};
use crate::ui::failure::FailureNote;
use crate::ui::segmented::Segmented;
use crate::ui::skeleton::Shape;
use crate::ui::text_area::TextArea;
use crate::ui::toast::use_toasts;
use crate::widget::data_grid::few::few_rows;

/// Open while the address names a record.
#[component]
pub(super) fn RecordDialog(inbox: Inbox) -> impl IntoView {
    let address = use_address();
    let named = address.query("record");
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(named.get().is_some()));
    Effect::new(move |before: Option<bool>| {
        let now = open.get();
        if before == Some(true) && !now {
            address.set_query("record", None);
        }
        now
    });
    let detail = load(
        move || named.get(),
        move |id: Option<String>| {
            let path = id.map(|id| format!("{}/{id}", inbox.path.get_value()));
            async move {
                match path {
                    Some(path) => api::get::<BadRecordDetail>(&path).await.map(Some),
                    None => Ok(None),
                }
            }
        },
    );
    let title = Signal::derive(move || {
        let named = detail.with(|detail| {
            detail.as_ref().map(|detail| text::record_title(&detail.record.split, detail.record.offset))
        });
        named.flatten().unwrap_or_else(|| text::title().to_owned())
    });
    view! {
        <Dialog open title class="dialog-wide">
            {detail.show(Shape::Lines(8), move |current| {
                // Fetched again it stays where it is, and so does the focus.
                let id = Memo::new(move |_| current.with(|current| current.as_ref().map(|current| current.record.id)));
                (move || {
                    let first = id.get().and_then(|_| current.get_untracked());
                    first.map(|first| view! { <Record inbox detail current first open/> })
                })
                .into_any()
            })}
        </Dialog>
    }
    .into_any()
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Text,
    Hex,
}

#[component]
fn Record(
    inbox: Inbox,
    detail: Loaded<Option<BadRecordDetail>>,
    current: Signal<Option<BadRecordDetail>>,
    first: BadRecordDetail,
    open: RwSignal<bool>,
) -> impl IntoView {
    let BadRecordDetail { record, key, value, no_replay } = first;
    let replayed = Memo::new(move |_| {
        current.with(|current| current.as_ref().and_then(|current| current.record.replayed.clone()))
    });
    let path = StoredValue::new(format!("{}/{}", inbox.path.get_value(), record.id));
    let is_text = value.as_ref().is_some_and(|value| value.is_text);
    let is_cut = value.as_ref().is_some_and(|value| value.cut);
    let original = value.as_ref().map(|value| value.text.clone()).unwrap_or_default();
    let edits = RwSignal::new(false);
    let edited = RwSignal::new(original.clone());
    // Bytes that are no text are written as they are.
    let given = move || {
        let changed = edits.get_untracked() && is_text && (is_cut || edited.get_untracked() != original);
        changed.then(|| base64(&edited.get_untracked()))
    };
    let given = StoredValue::new(Box::new(given) as Box<dyn Fn() -> Option<String> + Send + Sync>);
    let given = move || given.with_value(|given| given());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let decoded = RwSignal::new(None::<DecodedRecord>);
    let again = RwSignal::new(false);
    let toasts = use_toasts();
    let decode = Callback::new(move |()| {
        busy.set(true);
        failure.set(None);
        let (path, request) = (format!("{}/decode", path.get_value()), DecodeRecord { value: given() });
        leptos::task::spawn_local(async move {
            match api::post::<DecodedRecord>(&path, &request).await {
                Ok(answer) => drop(decoded.try_set(Some(answer))),
                Err(refusal) => drop(failure.try_set(Some(refusal))),
            }
            let _ = busy.try_set(false);
        });
    });
    let replay = Callback::new(move |()| {
        busy.set(true);
        failure.set(None);
        let path = format!("{}/replay", path.get_value());
        let request = ReplayRecord { value: given(), again: again.get_untracked() };
        leptos::task::spawn_local(async move {
            match api::post::<ReplayedTo>(&path, &request).await {
                Ok(to) => {
                    toasts.good(text::replay_done(&to.topic, to.partition, to.offset));
                    let _ = edits.try_set(false);
                    let _ = again.try_set(false);
                    detail.reload();
                    inbox.causes.reload();
                    inbox.records.reload();
                }
                Err(refusal) => drop(failure.try_set(Some(refusal))),
            }
            let _ = busy.try_set(false);
        });
    });
    // One button for both, so that it keeps the focus.
    let press = Callback::new(move |()| if edits.get_untracked() { replay.run(()) } else { edits.set(true) });
    let dismiss = Callback::new(move |()| {
        busy.set(true);
        failure.set(None);
        leptos::task::spawn_local(async move {
            match api::delete(&path.try_get_value().unwrap_or_default()).await {
                Ok(()) => {
                    let _ = open.try_set(false);
                    toasts.good(text::dismissed());
                    inbox.causes.reload();
                    inbox.records.reload();
                }
                Err(refusal) => drop(failure.try_set(Some(refusal))),
            }
            let _ = busy.try_set(false);
        });
    });
    let no_replay = StoredValue::new(no_replay);
    let cannot_replay = Signal::derive(move || inbox.no_write.get().or_else(|| no_replay.get_value()));
    let not_yet = Signal::derive(move || {
        let repeats = edits.get() && replayed.with(Option::is_some) && !again.get();
        cannot_replay.get().or_else(|| repeats.then(|| text::again_first().to_owned()))
    });
    view! {
        <Facts from_start=true>
            <Fact name=text::reason()>{record.reason.clone()}</Fact>
            <Fact name=text::met()><Ago at=record.at/></Fact>
            {record.job.clone().map(|job| view! {
                <Fact name=text::job()>{job.name}" "<span class="subtle">{text::run_attempt(record.attempt)}</span></Fact>
            })}
            {key.map(|key| view! {
                <Fact name=text::key()><span class="code">{if key.is_text { key.text } else { key.hex }}</span></Fact>
            })}
        </Facts>
        {move || replayed.get().map(replayed_note)}
        {match value {
            Some(value) => view! { <Bytes value/> }.into_any(),
            None => view! { <p class="subtle">{text::no_value()}</p> }.into_any(),
        }}
        {move || edits.get().then(|| view! {
            {is_text.then(|| view! { <TextArea label=text::new_value().to_owned() value=edited rows=5 code=true/> })}
            {move || replayed.with(Option::is_some).then(|| view! { <CheckField label=text::again() value=again/> })}
            <p class="muted">{text::replay_note()}</p>
        })}
        <div role="status">{move || decoded.get().map(decoded_view)}</div>
        {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        <div class="bad-actions">
            <Button kind=Kind::DangerQuiet reason=inbox.no_write busy on_press=dismiss>{text::dismiss()}</Button>
            <Button busy on_press=decode>{text::decode_again()}</Button>
            {move || edits.get().then(|| view! {
                <Button on_press=move |()| edits.set(false)>{words::cancel()}</Button>
            })}
            <Button kind=Kind::Primary reason=not_yet busy on_press=press>
                {move || if edits.get() { text::replay() } else { text::replay_open() }}
            </Button>
        </div>
    }
    .into_any()
}

fn replayed_note(replayed: Replayed) -> AnyView {
    let title = if replayed.edited { text::replayed_edited(&replayed.by) } else { text::replayed_by(&replayed.by) };
    view! { <Callout notice=Notice::Info title><Ago at=replayed.at/></Callout> }.into_any()
}

#[component]
fn Bytes(value: RecordBytes) -> impl IntoView {
    let form = RwSignal::new(if value.is_text { Form::Text } else { Form::Hex });
    let size = grouped(value.length);
    let size = if value.cut { text::size_cut(size) } else { text::size(size) };
    let is_text = value.is_text;
    let (as_text, as_hex) = (value.text, in_lines(&value.hex));
    let shown = move || match form.get() {
        Form::Text => as_text.clone(),
        Form::Hex => as_hex.clone(),
    };
    view! {
        <div class="bad-bytes-head">
            <Segmented label=text::shown_as() value=form on_choose=move |chosen| form.set(chosen)
                options=vec![(Form::Text, text::as_text().to_owned()), (Form::Hex, text::as_hex().to_owned())]/>
            <span class="subtle">{size}</span>
        </div>
        {(!is_text).then(|| view! { <p class="muted">{text::not_text()}</p> })}
        <div class="code-scroll bad-bytes" role="region" aria-label=text::bytes_of_value() tabindex="0"><pre>{shown}</pre></div>
    }
    .into_any()
}

fn decoded_view(decoded: DecodedRecord) -> AnyView {
    match decoded.reason {
        Some(reason) => view! { <p class="bad">{text::does_not_decode(reason)}</p> }.into_any(),
        None if decoded.rows.is_empty() => view! { <p class="good">{text::no_rows()}</p> }.into_any(),
        None => view! {
            <p class="good">{text::decodes()}</p>
            {few_rows(text::decoded_rows(), None, &decoded.columns, &decoded.rows)}
        }
        .into_any(),
    }
}

/// Sixteen bytes in a line, each line with the number of its first byte.
fn in_lines(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().collect();
    let line = |(number, line): (usize, &[char])| {
        let bytes: Vec<String> = line.chunks(2).map(|byte| byte.iter().collect()).collect();
        format!("{:06x}  {}", number * 16, bytes.join(" "))
    };
    digits.chunks(32).enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// Of the text's UTF-8, by the browser's own function, which takes a character for a byte.
fn base64(text: &str) -> String {
    let bytes: String = text.bytes().map(char::from).collect();
    window().btoa(&bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_stands_in_lines_of_sixteen_bytes() {
        assert_eq!(in_lines("7b22"), "000000  7b 22");
        let two = in_lines(&"ab".repeat(17));
        assert_eq!(two.lines().count(), 2);
        assert!(two.ends_with("\n000010  ab"));
    }
}
