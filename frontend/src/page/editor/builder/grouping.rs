//! Whether rows come out one by one, in groups, or in groups of windows.

use leptos::html;
use leptos::prelude::*;

use super::check::Gap;
use super::conditions::ConditionLines;
use super::control::{Choose, Line, focus_last};
use super::fields::Fields;
use super::form::{Form, Part};
use super::model::{Aggregate, Function, Shape};
use super::output::usual_name;
use super::window::WindowFields;
use crate::i18n::builder as text;
use crate::ui::button::{Button, IconButton};
use crate::ui::icon::Icon;
use crate::ui::segmented::Segmented;

#[component]
pub(super) fn Grouping(form: Form) -> impl IntoView {
    let query = form.query;
    let shape = Memo::new(move |_| query.with(|query| query.shape));
    let time = Memo::new(move |_| {
        query.with(|query| {
            query.source.as_ref().and_then(|source| source.event_time()).map(|column| column.name.clone())
        })
    });
    let name = move || query.with(|query| query.source.as_ref().map(|source| source.full()).unwrap_or_default());
    let has_time = Memo::new(move |_| time.with(Option::is_some));
    let body = move || match (shape.get(), time.get()) {
        (Shape::Plain, _) => text::plain_body().to_owned(),
        (Shape::Windowed, Some(time)) => text::windowed_body(time),
        _ => text::grouped_body().to_owned(),
    };
    view! {
        {move || {
            let mut options = vec![(Shape::Plain, text::shape_plain().to_owned()), (Shape::Grouped, text::shape_grouped().to_owned())];
            if has_time.get() {
                options.push((Shape::Windowed, text::shape_windowed().to_owned()));
            }
            view! { <Segmented label=text::shape() value=shape options on_choose=move |shape| query.update(|query| query.set_shape(shape))/> }
        }}
        <p class="muted">{body}</p>
        {move || (!has_time.get()).then(|| view! { <p class="subtle">{text::no_event_time(name())}</p> })}
        {move || (shape.get() == Shape::Windowed).then(|| view! { <WindowFields form/> })}
        {move || (shape.get() != Shape::Plain).then(|| view! {
            <h4>{text::group_by()}</h4>
            <p class="subtle">{text::group_by_note()}</p>
            <Fields form label=text::group_by()/>
            <h4>{text::aggregates()}</h4>
            <Aggregates form/>
            <h4>{text::having()}</h4>
            <ConditionLines form part=Part::Having/>
        })}
    }
    .into_any()
}

#[component]
fn Aggregates(form: Form) -> impl IntoView {
    let query = form.query;
    let ids = Memo::new(move |_| query.with(|query| query.aggregates.iter().map(|one| one.id).collect::<Vec<_>>()));
    let place = NodeRef::<html::Div>::new();
    let add = move |()| {
        query.update(super::model::Query::add_aggregate);
        focus_last(place, "[data-line]", "select");
    };
    let remove = Callback::new(move |id: u32| {
        query.update(|query| {
            query.aggregates.retain(|one| one.id != id);
            // Conditions on what is not computed any more.
            query.having.list.retain(|one| one.subject != id.to_string());
        });
        focus_last(place, ".builder-add", "button");
    });
    view! {
        <div class="builder-lines" node_ref=place>
            <For each=move || ids.get() key=|id| *id let(id)>{line(form, id, ids, remove)}</For>
            <div class="row builder-add"><Button small=true icon=Icon::Plus on_press=add>{text::add_aggregate()}</Button></div>
        </div>
    }
    .into_any()
}

fn line(form: Form, id: u32, ids: Memo<Vec<u32>>, remove: Callback<u32>) -> AnyView {
    let query = form.query;
    let name = Memo::new(move |_| {
        let place = ids.with(|ids| ids.iter().position(|one| *one == id)).unwrap_or_default();
        text::aggregate_number(place + 1)
    });
    let one = Memo::new(move |_| query.with(|query| query.aggregates.iter().find(|one| one.id == id).cloned()));
    let function = Memo::new(move |_| one.with(|one| one.as_ref().map_or(Function::CountAll, |one| one.function)));
    let read = move |pick: fn(&Aggregate) -> String| {
        Signal::derive(move || one.with(|one| one.as_ref().map(pick)).unwrap_or_default())
    };
    let change = move |act: Box<dyn FnOnce(&mut Aggregate)>| {
        query.update(|query| {
            if let Some(one) = query.aggregates.iter_mut().find(|one| one.id == id) {
                act(one);
            }
        });
    };
    let columns = Memo::new(move |_| {
        let function = function.get();
        query.with(|query| {
            let columns = query.source.iter().flat_map(|source| &source.columns);
            let fitting = columns.filter(|column| function.fits(column.kind()));
            fitting.map(|column| (column.name.clone(), column.name.clone())).collect::<Vec<_>>()
        })
    });
    let choose_function = Callback::new(move |word: String| {
        let Some(function) = Function::parse(&word) else { return };
        query.update(|query| {
            let source = query.source.clone().unwrap_or_default();
            let Some(one) = query.aggregates.iter_mut().find(|one| one.id == id) else { return };
            one.function = function;
            let keeps = source.column(&one.column).is_some_and(|column| function.fits(column.kind()));
            if function == Function::CountAll {
                one.column = String::new();
            } else if !keeps {
                let first = source.columns.iter().find(|column| function.fits(column.kind()));
                one.column = first.map(|column| column.name.clone()).unwrap_or_default();
            }
        });
    });
    let choose_column = Callback::new(move |column: String| change(Box::new(move |one| one.column = column)));
    let rename = Callback::new(move |alias: String| change(Box::new(move |one| one.alias = alias)));
    let error = Signal::derive(move || form.lacks(&Gap::Of(id)).then(|| text::gap_of().to_owned()));
    let label = move |of: fn(String) -> String| Signal::derive(move || of(name.get()));
    let usual = read(usual_name);
    let has_column = Memo::new(move |_| function.get() != Function::CountAll);
    view! {
        <div class="builder-line" role="group" data-line="" aria-label=move || name.get()>
            <Choose label=label(text::function_of) options=Signal::derive(functions)
                value=read(|one| one.function.word().to_owned()) on_choose=choose_function/>
            {move || has_column.get().then(|| view! {
                <Choose label=label(text::column_of) options=columns value=read(|one| one.column.clone()) on_choose=choose_column error/>
            })}
            <Line label=label(text::alias_of_line) value=read(|one| one.alias.clone()) on_input=rename placeholder=usual/>
            <IconButton small=true icon=Icon::Trash label=label(text::remove) on_press=move |()| remove.run(id)/>
        </div>
    }
    .into_any()
}

fn functions() -> Vec<(String, String)> {
    let words = |function: &Function| match function {
        Function::CountAll => text::fn_count_all(),
        Function::Count => text::fn_count(),
        Function::CountDistinct => text::fn_count_distinct(),
        Function::Sum => text::fn_sum(),
        Function::Avg => text::fn_avg(),
        Function::Min => text::fn_min(),
        Function::Max => text::fn_max(),
    };
    Function::ALL.iter().map(|function| (function.word().to_owned(), words(function).to_owned())).collect()
}
