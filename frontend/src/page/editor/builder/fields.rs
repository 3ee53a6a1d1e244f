//! Columns of the table to tick, each with the name under which it comes out.

use leptos::prelude::*;

use super::control::{Line, Tick};
use super::form::Form;
use super::model::{Column, Picked};
use super::value::bare;
use crate::i18n::builder as text;
use crate::ui::badge::Badge;

/// Of the shape that is chosen: what comes out of each row, or what rows are grouped by.
#[component]
pub(super) fn Fields(form: Form, #[prop(into)] label: String) -> impl IntoView {
    let columns = form.columns();
    let all = Signal::derive(move || {
        let count = columns.with(Vec::len);
        count > 0 && form.query.with(|query| query.ticked().len() == count)
    });
    let tick_all = Callback::new(move |on: bool| {
        let names: Vec<Picked> =
            columns.with_untracked(|columns| columns.iter().map(|column| Picked::plain(&column.name)).collect());
        form.query.update(|query| {
            let ticked = query.ticked_mut();
            if on {
                // Those that were ticked before keep their place and name.
                let more: Vec<Picked> =
                    names.into_iter().filter(|name| ticked.iter().all(|known| known.column != name.column)).collect();
                ticked.extend(more);
            } else {
                ticked.clear();
            }
        });
    });
    view! {
        <table class="table table-compact builder-fields" aria-label=label>
            <thead><tr>
                <th scope="col"><Tick label=text::all_fields() checked=all on_change=tick_all/></th>
                <th scope="col">{text::data_type()}</th>
                <th scope="col">{text::alias()}</th>
            </tr></thead>
            <tbody>
                <For each=move || columns.get() key=|column| (column.name.clone(), column.data_type.clone(), column.event_time) let(column)>
                    {row(form, column)}
                </For>
            </tbody>
        </table>
    }
    .into_any()
}

fn row(form: Form, column: Column) -> AnyView {
    let name = StoredValue::new(column.name.clone());
    let is_own = move |picked: &Picked| name.with_value(|name| picked.column == *name);
    let picked =
        Memo::new(move |_| form.query.with(|query| query.ticked().iter().find(|picked| is_own(picked)).cloned()));
    let tick = Callback::new(move |on: bool| {
        form.query.update(|query| {
            let ticked = query.ticked_mut();
            ticked.retain(|picked| !is_own(picked));
            if on {
                ticked.push(name.with_value(|name| Picked::plain(name)));
            }
        });
    });
    let rename = Callback::new(move |alias: String| {
        form.query.update(|query| {
            if let Some(picked) = query.ticked_mut().iter_mut().find(|picked| is_own(picked)) {
                picked.alias = alias;
            }
        });
    });
    let checked = Signal::derive(move || picked.with(Option::is_some));
    let alias =
        Signal::derive(move || picked.with(|picked| picked.as_ref().map(|one| one.alias.clone())).unwrap_or_default());
    let label = text::alias_of(&column.name);
    let placeholder = column.name.clone();
    view! {
        <tr>
            <th scope="row"><Tick label=column.name checked on_change=tick/></th>
            <td class="muted"><span class="truncate" title=column.data_type.clone()>{bare(&column.data_type).to_owned()}</span>
                {column.event_time.then(|| view! { " "<Badge>{text::event_time()}</Badge> })}</td>
            <td><Line label=Signal::derive(move || label.clone()) value=alias on_input=rename
                placeholder=Signal::derive(move || placeholder.clone()) disabled=Signal::derive(move || !checked.get())/></td>
        </tr>
    }
    .into_any()
}
