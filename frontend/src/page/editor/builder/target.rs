//! Where the rows go: to the preview only, or into a table, column by column.

use leptos::prelude::*;

use super::assign::{Assigned, Fit, Given, assigned, left_out};
use super::control::{Choose, Tick};
use super::form::Form;
use super::model::{Choice, Source, Target};
use super::output::outputs;
use super::table_picker::{TablePicker, Use};
use super::value::bare;
use crate::i18n::builder as text;
use crate::route::TeamRoute;
use crate::ui::segmented::Segmented;

#[component]
pub(super) fn TargetStep(form: Form) -> impl IntoView {
    let query = form.query;
    let inserts = Memo::new(move |_| query.with(|query| query.inserts));
    let table = Memo::new(move |_| query.with(|query| query.target.table.as_ref().map(Source::full)));
    let choose = Callback::new(move |table: Source| {
        query.update(|query| query.target = Target { table: Some(table), ..Target::default() });
    });
    let create = form.team.with_value(|team| TeamRoute::TableNew.of(team).href());
    view! {
        <Segmented label=text::goal() value=inserts on_choose=move |inserts| query.update(|query| query.inserts = inserts)
            options=vec![(false, text::goal_look().to_owned()), (true, text::goal_insert().to_owned())]/>
        <p class="muted">{move || if inserts.get() { text::insert_body() } else { text::look_body() }}</p>
        {move || inserts.get().then(|| {
            let create = create.clone();
            view! {
                <TablePicker team=form.team purpose=Use::Write chosen=table on_choose=choose/>
                <p class="subtle"><a class="link" href=create target="_blank" rel="noopener">{text::create_table()}</a>" "{text::create_table_note()}</p>
                {move || table.get().map(|table| view! { <Assignment form table/> })}
            }
        })}
    }
    .into_any()
}

#[component]
fn Assignment(form: Form, table: String) -> impl IntoView {
    let query = form.query;
    let all = Memo::new(move |_| query.with(assigned));
    let columns = Memo::new(move |_| {
        all.with(|all| {
            all.iter().map(|one| (one.column.name.clone(), one.column.data_type.clone())).collect::<Vec<_>>()
        })
    });
    let others = Memo::new(move |_| query.with(left_out).join(", "));
    view! {
        <table class="table table-compact builder-fields" aria-label=text::columns_of(table)>
            <thead><tr>
                <th scope="col">{text::column()}</th>
                <th scope="col">{text::data_type()}</th>
                <th scope="col">{text::gets()}</th>
                <th scope="col"><span class="visually-hidden">{text::convert()}</span></th>
            </tr></thead>
            <tbody>
                <For each=move || columns.get() key=|column| column.clone() let(column)>{row(form, all, column)}</For>
            </tbody>
        </table>
        {move || others.with(|others| (!others.is_empty()).then(|| view! { <p class="subtle">{text::left_out(others)}</p> }))}
    }
    .into_any()
}

fn row(form: Form, all: Memo<Vec<Assigned>>, (name, data_type): (String, String)) -> AnyView {
    let query = form.query;
    let own = StoredValue::new(name.clone());
    let one = Memo::new(move |_| {
        all.with(|all| all.iter().find(|one| own.with_value(|own| one.column.name == *own)).cloned())
    });
    let options = Memo::new(move |_| {
        let mut options = vec![(String::new(), text::nothing_given().to_owned())];
        options.extend(query.with(outputs).into_iter().map(|output| (output.key, output.name)));
        options
    });
    let value = Signal::derive(move || {
        one.with(|one| match one.as_ref().map(|one| &one.given) {
            Some(Given::Output(output)) => output.key.clone(),
            _ => String::new(),
        })
    });
    let choose = Callback::new(move |key: String| {
        let choice = if key.is_empty() { Choice::Null } else { Choice::Output(key) };
        query.update(|query| {
            query.target.choices.insert(own.get_value(), choice);
        });
    });
    let converts = Memo::new(move |_| one.with(|one| one.as_ref().is_some_and(|one| one.fit == Fit::Convertible)));
    let casts = Signal::derive(move || one.with(|one| one.as_ref().is_some_and(|one| one.casts)));
    let cast = Callback::new(move |on: bool| {
        query.update(|query| {
            let name = own.get_value();
            if on {
                query.target.casts.insert(name)
            } else {
                query.target.casts.remove(&name)
            };
        });
    });
    let error = Signal::derive(move || one.with(|one| one.as_ref().and_then(mismatch)));
    let (label, tick) = (text::gets_of(&name), text::convert_of(&name));
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td class="muted"><span class="truncate" title=data_type.clone()>{data_type.clone()}</span></td>
            <td><Choose label=Signal::derive(move || label.clone()) options value on_choose=choose error/></td>
            <td>{move || converts.get().then(|| view! { <Tick label=tick.clone() checked=casts on_change=cast/> })}</td>
        </tr>
    }
    .into_any()
}

/// Why the column does not take what it would get.
fn mismatch(one: &Assigned) -> Option<String> {
    if one.is_settled() {
        return None;
    }
    let name = &one.column.name;
    let (from, to) = match &one.given {
        Given::Output(output) => (bare(&output.data_type), bare(&one.column.data_type)),
        Given::Null => return Some(text::gap_needs_value(name)),
    };
    Some(match one.fit {
        Fit::Never => text::gap_never(from, name, to),
        _ => text::gap_convertible(from, name, to),
    })
}
