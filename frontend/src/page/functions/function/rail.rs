//! Facts on a function, beside its tabs.

use leptos::prelude::*;
use millrace_wire::user_function::UserFunction;

use super::super::own::language;
use super::newest;
use crate::format::bytes::bytes;
use crate::i18n::functions as text;
use crate::ui::age::Ago;
use crate::ui::code_block::CodeBlock;
use crate::ui::facts::{Fact, Facts};
use crate::ui::panel::Panel;

#[component]
pub(super) fn Rail(function: Signal<UserFunction>) -> impl IntoView {
    view! {
        <aside class="rail" aria-label=text::facts()>
            {move || {
                let function = function.get();
                let definition = newest(&function).and_then(|newest| newest.definition.clone());
                let facts = facts(&function);
                view! {
                    <Panel title=text::facts().to_owned()>{facts}</Panel>
                    {definition.map(|definition| view! {
                        <Panel title=text::definition().to_owned()>
                            <div class="rail-code"><CodeBlock label=text::definition_in_sql() text=Signal::stored(definition)/></div>
                        </Panel>
                    })}
                }
            }}
        </aside>
    }
    .into_any()
}

fn facts(function: &UserFunction) -> AnyView {
    let (changed, made, by) = (function.updated_at, function.created_at, function.updated_by.clone());
    let newest = newest(function).cloned();
    let of_version = newest.map(|newest| {
        let module = newest.module_hash.clone().map(|hash| {
            let short: String = hash.chars().take(12).collect();
            let size = newest.module_bytes.map(bytes).unwrap_or_default();
            view! {
                <Fact name=text::module()><span class="code" title=hash>{short}</span></Fact>
                <Fact name=text::size()>{size}</Fact>
            }
        });
        view! {
            <Fact name=text::signature()><span class="code fact-long">{newest.signature}</span></Fact>
            <Fact name=text::kind()>{newest.kind.as_str()}</Fact>
            <Fact name=text::language()>{language(newest.language)}</Fact>
            {newest.entry.map(|entry| view! { <Fact name=text::entry_fact()><span class="code fact-long">{entry}</span></Fact> })}
            {module}
            <Fact name=text::version()>{newest.number}</Fact>
        }
    });
    view! {
        <Facts>
            {of_version}
            <Fact name=text::changed()><Ago at=changed/></Fact>
            <Fact name=text::changed_by()>{by}</Fact>
            <Fact name=text::made_at()><Ago at=made/></Fact>
        </Facts>
    }
    .into_any()
}
