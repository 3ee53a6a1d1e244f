//! The library of built-in functions, searchable by name, signature and summary.

use leptos::prelude::*;
use millrace_wire::function::{FunctionInfo, FunctionKind};

use crate::address::use_address;
use crate::format::number::counted;
use crate::format::text::matches;
use crate::i18n::{functions as text, words};
use crate::load::load_all;
use crate::ui::badge::Badge;
use crate::ui::button::Button;
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn BuiltIn() -> impl IntoView {
    let address = use_address();
    let functions = load_all::<FunctionInfo>("/functions".to_owned());
    let query = address.query("q");
    let kind = address.query("kind");
    let shown = Memo::new(move |_| {
        let (words, kind) = (query.get().unwrap_or_default(), kind.get());
        functions
            .with(|all| {
                let fits = |function: &&FunctionInfo| {
                    kind.as_deref().is_none_or(|kind| function.kind.as_str() == kind) && is_hit(function, &words)
                };
                all.iter().filter(fits).cloned().collect::<Vec<_>>()
            })
            .unwrap_or_default()
    });
    let count = move || {
        functions.with(|all| {
            if query.get().is_some() || kind.get().is_some() {
                words::shown_of(shown.with(Vec::len), all.len())
            } else {
                counted(all.len() as u64, "function", "functions")
            }
        })
    };
    let clear = move |()| {
        address.set_query("q", None);
        address.set_query("kind", None);
    };
    view! {
        <div class="filters">
            <SearchField
                label=text::search()
                value=Signal::derive(move || query.get().unwrap_or_default())
                on_input=move |words: String| address.set_query("q", Some(&words))
            />
            {move || functions.with(|all| counters(all, kind.get()))}
            <span class="subtle">{count}</span>
        </div>
        <div class="page">
            {functions.show(Shape::Rows(12), move |_| (move || if shown.with(Vec::is_empty) {
                view! {
                    <EmptyState icon=Icon::Search title=words::no_match() body=words::no_match_body()>
                        <Button on_press=clear>{words::clear_filter()}</Button>
                    </EmptyState>
                }
                .into_any()
            } else {
                list(shown.get())
            })
            .into_any())}
        </div>
    }
    .into_any()
}

fn is_hit(function: &FunctionInfo, words: &str) -> bool {
    matches(&format!("{} {} {} {}", function.name, function.signature, function.summary, function.category), words)
}

fn counters(all: &[FunctionInfo], chosen: Option<String>) -> AnyView {
    let address = use_address();
    let counter = |kind: Option<&'static str>, count: usize| {
        let pressed = (kind == chosen.as_deref()).to_string();
        view! {
            <button type="button" class="count" aria-pressed=pressed on:click=move |_| address.set_query("kind", kind)>
                {kind.unwrap_or_else(|| text::all())}<b>{count}</b>
            </button>
        }
    };
    let each = FunctionKind::ALL
        .iter()
        .map(|kind| (kind.as_str(), all.iter().filter(|function| function.kind == *kind).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| counter(Some(kind), count))
        .collect_view();
    view! { <div class="counts" role="group" aria-label=text::kinds()>{counter(None, all.len())}{each}</div> }
        .into_any()
}

/// In groups by category, each group in the order of the server.
fn list(functions: Vec<FunctionInfo>) -> AnyView {
    let mut groups: Vec<(String, Vec<FunctionInfo>)> = Vec::new();
    for function in functions {
        match groups.iter_mut().find(|(category, _)| *category == function.category) {
            Some((_, group)) => group.push(function),
            None => groups.push((function.category.clone(), vec![function])),
        }
    }
    let heads = vec![
        Head::text(text::name()).fit(),
        Head::text(text::signature()).fit(),
        Head::text(text::summary()),
        Head::text(text::kind()).fit(),
    ];
    let rows: Vec<AnyView> = groups.into_iter().map(|(category, group)| group_rows(category, group)).collect();
    view! { <Table label=text::built_in() heads sticky=true compact=true>{rows}</Table> }.into_any()
}

fn group_rows(category: String, group: Vec<FunctionInfo>) -> AnyView {
    view! {
        <tr class="table-group"><th scope="rowgroup" colspan="4"><span class="row"><span class="medium">{category}</span>{group.len()}</span></th></tr>
        {group.into_iter().map(|function| view! {
            <tr>
                <th scope="row" class="cell-fit medium">{function.name}</th>
                <td class="code cell-fit function-signature" title=function.signature.clone()>{function.signature.clone()}</td>
                <td class="muted cell-clip" title=function.summary.clone()>{function.summary.clone()}</td>
                <td class="cell-fit"><Badge>{function.kind.as_str()}</Badge></td>
            </tr>
        }).collect_view()}
    }
    .into_any()
}
