//! A list of messages; each opens below its row with headers and the whole value.

use leptos::prelude::*;
use millrace_wire::connection::Message;

use crate::clock::local;
use crate::format::bytes::bytes;
use crate::format::number::grouped_signed;
use crate::i18n::connections as text;
use crate::ui::badge::Badge;
use crate::ui::copy_button::CopyButton;
use crate::ui::table::{Head, Table};

/// `opened` counts the messages that somebody reads.
pub(super) fn list(messages: Signal<Vec<Message>>, opened: RwSignal<u32>) -> AnyView {
    let heads = vec![
        Head::number(text::partition()),
        Head::number(text::offset()),
        Head::text(text::time()).fit(),
        Head::text(text::key()).fit(),
        Head::text(text::value()),
        Head::number(text::size()),
    ];
    view! {
        <Table label=text::messages() heads compact=true sticky=true>
            <For each=move || messages.get() key=|message| (message.partition, message.offset) let(message)>
                {rows_of(message, opened)}
            </For>
        </Table>
    }
    .into_any()
}

fn rows_of(message: Message, opened: RwSignal<u32>) -> AnyView {
    let open = RwSignal::new(false);
    let toggle = move |_| {
        open.update(|open| *open = !*open);
        let now = open.get_untracked();
        opened.update(|count| *count = if now { *count + 1 } else { count.saturating_sub(1) });
    };
    on_cleanup(move || {
        if open.try_get_untracked() == Some(true) {
            let _ = opened.try_update(|count| *count = count.saturating_sub(1));
        }
    });
    let at = local(message.timestamp);
    let offset = grouped_signed(message.offset);
    let label = text::show_message(&offset);
    let (key, value) = (message.key.clone(), message.value.clone());
    let (partition, size, binary) = (message.partition, message.size, message.binary);
    let whole = StoredValue::new(message);
    view! {
        <tr class="message-row" on:click=toggle>
            <td class="num cell-fit">{partition}</td>
            <th scope="row" class="num cell-fit">
                <button type="button" class="disclose" aria-label=label aria-expanded=move || open.get().to_string()>{offset}</button>
            </th>
            <td class="cell-fit code" title=at.full()>{at.millis()}</td>
            <td class="cell-fit code message-key">{text_or_null(key)}</td>
            <td class="code cell-clip">{binary.then(|| view! { <Badge>{text::binary()}</Badge>" " })}{text_or_null(value)}</td>
            <td class="num cell-fit subtle">{bytes(size)}</td>
        </tr>
        {move || open.get().then(|| view! {
            <tr class="detail-row"><td colspan="6">{whole.with_value(detail)}</td></tr>
        })}
    }
    .into_any()
}

fn text_or_null(value: Option<String>) -> AnyView {
    match value {
        Some(value) if value.is_empty() => view! { <span class="subtle">"“”"</span> }.into_any(),
        // The row shows the start; a page of text in it would slow the whole list down.
        Some(value) => value.chars().take(400).collect::<String>().into_any(),
        None => view! { <span class="null subtle">{text::null()}</span> }.into_any(),
    }
}

fn detail(message: &Message) -> AnyView {
    let headers = if message.headers.is_empty() {
        view! { <span class="subtle">{text::no_headers()}</span> }.into_any()
    } else {
        let pairs = message.headers.clone();
        view! {
            <dl class="facts facts-start">
                {pairs.into_iter().map(|(name, value)| view! { <dt class="code">{name}</dt><dd class="code">{value}</dd> }).collect_view()}
            </dl>
        }
        .into_any()
    };
    let value = message.value.as_deref().map(pretty);
    let key = message.key.clone();
    view! {
        <div class="message-detail">
            <div>
                <h2 class="row">{text::value()}{value.clone().map(|value| view! { <CopyButton text=value/> })}</h2>
                {match value {
                    Some(value) => view! { <pre class="message-value" tabindex="0">{value}</pre> }.into_any(),
                    None => view! { <span class="null subtle">{text::null()}</span> }.into_any(),
                }}
            </div>
            <div>
                <h2>{text::key()}</h2>
                <p class="code">{text_or_null(key)}</p>
                <h2>{text::headers()}</h2>
                {headers}
            </div>
        </div>
    }
    .into_any()
}

/// JSON with line breaks; anything else as it is.
fn pretty(value: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(value) {
        Ok(json) if json.is_object() || json.is_array() => {
            serde_json::to_string_pretty(&json).unwrap_or_else(|_| value.to_owned())
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn json_is_broken_into_lines_and_text_is_not() {
        assert_eq!(pretty(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
        assert_eq!(pretty("plain, text"), "plain, text");
        assert_eq!(pretty("12"), "12");
    }
}
