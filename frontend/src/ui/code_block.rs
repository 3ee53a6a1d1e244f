//! Read-only SQL with its words in the colours of the editor, and a button that copies it.

use leptos::prelude::*;

use super::copy_button::CopyButton;
use crate::format::sql_words::{Word, words};

#[component]
pub fn CodeBlock(#[prop(into)] text: Signal<String>, #[prop(into)] label: String) -> impl IntoView {
    view! {
        <div class="code-box">
            <div class="code-scroll" role="region" aria-label=label tabindex="0">
                <pre>{move || text.with(|text| coloured(text))}</pre>
            </div>
            <span class="code-copy"><CopyButton text/></span>
        </div>
    }
    .into_any()
}

fn coloured(text: &str) -> AnyView {
    words(text)
        .into_iter()
        .map(|(kind, part)| {
            let class = match kind {
                Word::Keyword => "code-keyword",
                Word::Text => "code-string",
                Word::Number => "code-number",
                Word::Comment => "code-comment",
                Word::Plain => return part.to_owned().into_any(),
            };
            view! { <span class=class>{part.to_owned()}</span> }.into_any()
        })
        .collect_view()
        .into_any()
}
