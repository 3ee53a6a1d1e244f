//! The functions that the team brought.

use std::cmp::Ordering;

use leptos::prelude::*;
use millrace_wire::user_function::{FunctionLanguage, UserFunctionSummary};

use super::bring::BUILD_COMMAND;
use crate::address::use_address;
use crate::format::number::{counted, grouped};
use crate::format::text::matches;
use crate::i18n::{functions as text, words};
use crate::load::Loaded;
use crate::rights::{Right, refusal};
use crate::route::{FunctionTab, TeamRoute};
use crate::ui::age::Ago;
use crate::ui::badge::Badge;
use crate::ui::button::{Button, Kind};
use crate::ui::copy_button::CopyButton;
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::order::by_words;
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn OwnFunctions(
    team: String,
    functions: Loaded<Vec<UserFunctionSummary>>,
    /// Opens the dialog for a new one.
    bringing: RwSignal<bool>,
) -> impl IntoView {
    let address = use_address();
    let query = address.query("q");
    let shown = Memo::new(move |_| {
        let words = query.get().unwrap_or_default();
        functions
            .with(|all| all.iter().filter(|function| is_hit(function, &words)).cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    });
    let count = move || {
        functions.with(|all| {
            if query.get().is_some() {
                words::shown_of(shown.with(Vec::len), all.len())
            } else {
                counted(all.len() as u64, "function", "functions")
            }
        })
    };
    let some = move || functions.with(|all| !all.is_empty()) == Some(true);
    view! {
        {move || some().then(|| view! {
            <div class="filters">
                <SearchField
                    label=text::search_own()
                    value=Signal::derive(move || query.get().unwrap_or_default())
                    on_input=move |words: String| address.set_query("q", Some(&words))
                />
                <span class="subtle">{count}</span>
            </div>
        })}
        <div class="page">
            {functions.show(Shape::Rows(6), move |all| {
                let team = team.clone();
                (move || if all.with(Vec::is_empty) {
                    none(bringing)
                } else if shown.with(Vec::is_empty) {
                    view! {
                        <EmptyState icon=Icon::Search title=words::no_match() body=words::no_match_body()>
                            <Button on_press=move |()| address.set_query("q", None)>{words::clear_filter()}</Button>
                        </EmptyState>
                    }
                    .into_any()
                } else {
                    list(&team, shown)
                })
                .into_any()
            })}
        </div>
    }
    .into_any()
}

fn is_hit(function: &UserFunctionSummary, words: &str) -> bool {
    matches(&format!("{} {} {}", function.name, function.signature, function.remark), words)
}

fn none(bringing: RwSignal<bool>) -> AnyView {
    view! {
        <EmptyState icon=Icon::Functions title=text::none() body=text::none_body()>
            <Button kind=Kind::Primary icon=Icon::Plus reason=refusal(Right::Edit) on_press=move |()| bringing.set(true)>{text::new()}</Button>
        </EmptyState>
        <div class="function-hint">
            <p class="muted">{text::none_build()}</p>
            <p class="row"><code class="code" title=text::build_command()>{BUILD_COMMAND}</code><CopyButton text=BUILD_COMMAND.to_owned()/></p>
        </div>
    }
    .into_any()
}

fn list(team: &str, shown: Memo<Vec<UserFunctionSummary>>) -> AnyView {
    let order = use_address().order();
    let heads = vec![
        Head::text(text::name()).fit().sorts("name"),
        Head::text(text::signature()),
        Head::text(text::kind()).fit().sorts("kind"),
        Head::text(text::language()).fit().sorts("language"),
        Head::number(text::version()).sorts("version"),
        Head::number(text::jobs()).sorts("jobs"),
        Head::text(text::remark()),
        Head::number(text::changed()).sorts("changed"),
    ];
    let team = team.to_owned();
    view! {
        <Table label=text::own() heads sticky=true order>
            {move || {
                let mut functions = shown.get();
                order.sort(&mut functions, compare);
                functions.into_iter().map(|function| row(&team, function)).collect_view()
            }}
        </Table>
    }
    .into_any()
}

fn compare(column: &str, a: &UserFunctionSummary, b: &UserFunctionSummary) -> Ordering {
    let by_column = match column {
        "kind" => a.kind.as_str().cmp(b.kind.as_str()),
        "language" => a.language.as_str().cmp(b.language.as_str()),
        "version" => b.version.cmp(&a.version),
        "jobs" => b.jobs.cmp(&a.jobs),
        "changed" => b.updated_at.cmp(&a.updated_at),
        _ => Ordering::Equal,
    };
    by_column.then_with(|| by_words(&a.name, &b.name))
}

pub(super) fn language(language: FunctionLanguage) -> &'static str {
    match language {
        FunctionLanguage::Wasm => text::wasm(),
        FunctionLanguage::Sql => text::sql(),
    }
}

fn row(team: &str, function: UserFunctionSummary) -> AnyView {
    let href = TeamRoute::Function(function.id, FunctionTab::Test).of(team).href();
    let used = TeamRoute::Function(function.id, FunctionTab::UsedBy).of(team).href();
    let jobs = match function.jobs {
        0 => view! { <span class="subtle">"0"</span> }.into_any(),
        count => view! { <a class="link" href=used>{grouped(count)}</a> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row" class="cell-fit"><a href=href>{function.name}</a></th>
            <td class="code cell-clip" title=function.signature.clone()>{function.signature.clone()}</td>
            <td class="cell-fit"><Badge>{function.kind.as_str()}</Badge></td>
            <td class="cell-fit">{language(function.language)}</td>
            <td class="num cell-fit">{function.version}</td>
            <td class="num cell-fit">{jobs}</td>
            <td class="muted cell-clip" title=function.remark.clone()>{function.remark.clone()}</td>
            <td class="num cell-fit subtle"><Ago at=function.updated_at/></td>
        </tr>
    }
    .into_any()
}
