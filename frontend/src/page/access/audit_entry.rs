//! One entry of the audit trail as a whole.

use leptos::prelude::*;
use millrace_wire::audit::AuditEntry;

use crate::clock::local;
use crate::i18n::{access as text, words};
use crate::ui::button::Button;
use crate::ui::code_block::CodeBlock;
use crate::ui::dialog::Dialog;
use crate::ui::facts::{Fact, Facts};

#[component]
pub(super) fn EntryDialog(opened: RwSignal<Option<AuditEntry>>) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if opened.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            opened.set(None);
        }
    });
    let title =
        Signal::derive(move || opened.with(|entry| entry.as_ref().map(|entry| entry.what.clone()).unwrap_or_default()));
    let foot = move || view! { <Button on_press=move |()| open.set(false)>{words::close()}</Button> };
    view! {
        <Dialog open title foot=foot class="dialog-wide">
            {move || opened.get().map(content)}
        </Dialog>
    }
    .into_any()
}

fn content(entry: AuditEntry) -> AnyView {
    let detail = entry.detail.as_ref().and_then(|detail| serde_json::to_string_pretty(detail).ok());
    let facts = [
        (text::audit_when(), local(entry.at).full()),
        (text::audit_who(), if entry.person.is_empty() { text::audit_nobody().to_owned() } else { entry.person }),
        (text::audit_via(), entry.via),
        (text::audit_call(), entry.action),
        (text::audit_object(), entry.object),
        (text::audit_outcome(), format!("{} {}", entry.status, entry.outcome)),
        (text::audit_from(), entry.address),
        (text::audit_request(), entry.request_id),
        (text::audit_number(), entry.seq.to_string()),
        (text::audit_hash(), entry.hash),
    ];
    view! {
        <Facts from_start=true>
            {facts.into_iter().map(|(name, value)| view! { <Fact name=name><code class="rail-wrap">{value}</code></Fact> }).collect_view()}
        </Facts>
        {detail.map(|detail| view! {
            <h3>{text::audit_change()}</h3>
            <CodeBlock label=text::audit_change() text=detail/>
        })}
    }
    .into_any()
}
