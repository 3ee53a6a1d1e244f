//! What two sides differ in: settings, tables, functions, plan, SQL.

use leptos::prelude::*;
use millrace_wire::report::{ChangeKind, NamedChange, OperatorChange, VersionDiff};

use crate::i18n::deployment as text;
use crate::ui::callout::{Callout, Notice};
use crate::widget::job_settings::changed_words;
use crate::widget::sql_diff::SqlDiff;

pub(super) const fn change_word(change: ChangeKind) -> (&'static str, &'static str) {
    match change {
        ChangeKind::Added => (text::added(), "good"),
        ChangeKind::Removed => (text::removed(), "bad"),
        ChangeKind::Changed => (text::changed(), "warn"),
    }
}

#[component]
pub fn Difference(diff: VersionDiff) -> impl IntoView {
    let VersionDiff { from, to, sql_from, sql_to, settings, tables, functions, plan, problems } = diff;
    let settings = changed_words(&settings);
    view! {
        {(!problems.is_empty()).then(|| view! {
            <Callout notice=Notice::Warn title=text::no_plan().to_owned()>
                <ul>{problems.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
            </Callout>
        })}
        {if settings.is_empty() {
            view! { <p class="subtle rail-note">{text::settings_same()}</p> }.into_any()
        } else {
            view! {
                <h3>{text::settings_differ()}</h3>
                <ul class="settings-diff">
                    {settings.into_iter().map(|(name, old, new)| view! {
                        <li><span class="muted">{name}</span>" "<del>{old}</del>" → "<ins>{new}</ins></li>
                    }).collect_view()}
                </ul>
            }.into_any()
        }}
        {named(text::tables(), tables, Shows::Text)}
        {named(text::functions(), functions, Shows::Words)}
        {(!plan.is_empty()).then(|| view! {
            <h3>{text::plan()}</h3>
            <ul class="settings-diff">{plan.into_iter().map(operator).collect_view()}</ul>
        })}
        <SqlDiff left_name=from left=sql_from right_name=to right=sql_to/>
    }
    .into_any()
}

/// DDL is compared line by line, versions are told in words.
#[derive(Clone, Copy, PartialEq)]
enum Shows {
    Text,
    Words,
}

fn named(title: &'static str, changes: Vec<NamedChange>, shows: Shows) -> AnyView {
    if changes.is_empty() {
        return ().into_any();
    }
    let one = move |change: NamedChange| {
        let (word, class) = change_word(change.change);
        let NamedChange { name, from, to, .. } = change;
        let detail = match shows {
            Shows::Words => view! { " "<del>{from}</del>" "<ins>{to}</ins> }.into_any(),
            Shows::Text => {
                let (left_name, right_name) = (text::before(&name), text::after(&name));
                view! { <SqlDiff left_name left=from right_name right=to/> }.into_any()
            }
        };
        view! { <li><span class=class>{word}</span>" "<span class="code">{name}</span>{detail}</li> }
    };
    view! { <h3>{title}</h3><ul class="settings-diff">{changes.into_iter().map(one).collect_view()}</ul> }.into_any()
}

fn operator(change: OperatorChange) -> AnyView {
    let (word, class) = change_word(change.change);
    let words = match change.change {
        ChangeKind::Added => view! { <ins>{change.to}</ins> }.into_any(),
        ChangeKind::Removed => view! { <del>{change.from}</del> }.into_any(),
        ChangeKind::Changed => view! { <del>{change.from}</del>" → "<ins>{change.to}</ins> }.into_any(),
    };
    view! { <li><span class=class>{word}</span>" "<span class="medium">{change.kind}</span>" "{words}</li> }.into_any()
}
