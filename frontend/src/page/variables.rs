//! Variables of the team: what `${name}` in its scripts stands for.

mod delete_dialog;
mod edit_dialog;

use std::cmp::Ordering;

use leptos::prelude::*;
use millrace_wire::live::LiveEvent;
use millrace_wire::variable::Variable;

use crate::address::use_address;
use crate::api;
use crate::format::number::counted;
use crate::format::text::matches;
use crate::i18n::{variables as text, words};
use crate::live::use_live;
use crate::load::load_all;
use crate::rights::{Right, refusal};
use crate::ui::age::Ago;
use crate::ui::badge::Badge;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::order::by_words;
use crate::ui::page_head::PageHead;
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use delete_dialog::DeleteDialog;
use edit_dialog::{EditDialog, Subject};

#[component]
pub fn VariablesPage(team: String) -> impl IntoView {
    let variables = load_all::<Variable>(api::path::team(&team, "variables"));
    use_live().on(move |event| {
        if matches!(event, LiveEvent::VariablesChanged | LiveEvent::Reset) {
            variables.reload();
        }
    });
    let address = use_address();
    let query = address.query("q");
    let editing = RwSignal::new(None::<Subject>);
    let deleting = RwSignal::new(None::<Variable>);
    let shown = Memo::new(move |_| {
        let words = query.get().unwrap_or_default();
        let is_hit = |variable: &&Variable| matches(&format!("{} {}", variable.name, variable.description), &words);
        variables.with(|all| all.iter().filter(is_hit).cloned().collect::<Vec<_>>()).unwrap_or_default()
    });
    let count = move || {
        variables.with(|all| match query.get() {
            Some(_) => words::shown_of(shown.with(Vec::len), all.len()),
            None => counted(all.len() as u64, text::one(), text::many()),
        })
    };
    let some = move || variables.with(|all| !all.is_empty()) == Some(true);
    view! {
        <PageHead
            title=text::title().to_owned()
            actions=move || view! {
                <Button kind=Kind::Primary small=true icon=Icon::Plus reason=refusal(Right::Edit) on_press=move |()| editing.set(Some(Subject::New))>
                    {text::new()}
                </Button>
            }
        />
        {move || some().then(|| view! {
            <div class="filters">
                <SearchField
                    label=text::search()
                    value=Signal::derive(move || query.get().unwrap_or_default())
                    on_input=move |words: String| address.set_query("q", Some(&words))
                />
                <span class="subtle">{count}</span>
            </div>
        })}
        <div class="page">
            {variables.show(Shape::Rows(6), move |all| (move || if all.with(Vec::is_empty) {
                view! {
                    <EmptyState icon=Icon::Tag title=text::none() body=text::none_body()>
                        <Button kind=Kind::Primary icon=Icon::Plus reason=refusal(Right::Edit) on_press=move |()| editing.set(Some(Subject::New))>{text::new()}</Button>
                    </EmptyState>
                }
                .into_any()
            } else if shown.with(Vec::is_empty) {
                view! {
                    <EmptyState icon=Icon::Search title=words::no_match() body=words::no_match_body()>
                        <Button on_press=move |()| address.set_query("q", None)>{words::clear_filter()}</Button>
                    </EmptyState>
                }
                .into_any()
            } else {
                list(shown, editing, deleting)
            })
            .into_any())}
        </div>
        <EditDialog team=team.clone() subject=editing variables/>
        <DeleteDialog team deleting variables/>
    }
    .into_any()
}

fn list(
    shown: Memo<Vec<Variable>>,
    editing: RwSignal<Option<Subject>>,
    deleting: RwSignal<Option<Variable>>,
) -> AnyView {
    let order = use_address().order();
    let heads = vec![
        Head::text(text::name()).fit().sorts("name"),
        Head::text(text::value()),
        Head::text(text::description()),
        Head::number(text::changed()).sorts("changed"),
        Head::text(text::actions()).silent().fit(),
    ];
    view! {
        <Table label=text::title() heads sticky=true order>
            {move || {
                let mut variables = shown.get();
                order.sort(&mut variables, compare);
                variables.into_iter().map(|variable| row(variable, editing, deleting)).collect_view()
            }}
        </Table>
    }
    .into_any()
}

fn compare(column: &str, a: &Variable, b: &Variable) -> Ordering {
    let by_column = if column == "changed" { b.updated_at.cmp(&a.updated_at) } else { Ordering::Equal };
    by_column.then_with(|| by_words(&a.name, &b.name))
}

fn row(variable: Variable, editing: RwSignal<Option<Subject>>, deleting: RwSignal<Option<Variable>>) -> AnyView {
    let (edit, delete) = (text::edit(&variable.name), text::delete(&variable.name));
    let (name, description, updated_at) = (variable.name.clone(), variable.description.clone(), variable.updated_at);
    let by = text::by(&variable.updated_by);
    let value = if variable.secret {
        view! { <span title=text::secret_tip()><Badge>{text::secret()}</Badge></span> }.into_any()
    } else if variable.value.is_empty() {
        view! { <span class="subtle">{text::empty_value()}</span> }.into_any()
    } else {
        view! { <span class="code">{variable.value.clone()}</span> }.into_any()
    };
    let own = StoredValue::new(variable);
    view! {
        <tr>
            <th scope="row" class="cell-fit code">{name}</th>
            <td class="cell-clip">{value}</td>
            <td class="muted cell-clip" title=description.clone()>{description.clone()}</td>
            <td class="num cell-fit subtle" title=by><Ago at=updated_at/></td>
            <td class="cell-fit">
                <Button kind=Kind::Quiet small=true reason=refusal(Right::Edit) title=edit on_press=move |()| editing.set(Some(Subject::Known(own.get_value())))>{words::edit()}</Button>
                <IconButton small=true icon=Icon::Trash reason=refusal(Right::Edit) label=delete on_press=move |()| deleting.set(Some(own.get_value()))/>
            </td>
        </tr>
    }
    .into_any()
}
