//! Lines of conditions: a field, a comparison that fits its type, and values.

use leptos::html;
use leptos::prelude::*;

use super::check::Gap;
use super::control::{Choose, Line, focus_last};
use super::form::{Form, Part};
use super::model::{Condition, Joined, Operator};
use super::value::Kind;
use crate::i18n::builder as text;
use crate::ui::button::{Button, IconButton};
use crate::ui::icon::Icon;
use crate::ui::segmented::Segmented;

#[component]
pub(super) fn ConditionLines(form: Form, part: Part) -> impl IntoView {
    let query = form.query;
    let ids = Memo::new(move |_| query.with(|query| part.of(query).list.iter().map(|one| one.id).collect::<Vec<_>>()));
    let place = NodeRef::<html::Div>::new();
    let add = move |()| {
        query.update(|query| {
            let Some((subject, _)) = part.subjects(query).into_iter().next() else { return };
            let id = query.next_number();
            let operator = usual(part.kind(query, &subject));
            part.of_mut(query).list.push(Condition {
                id,
                subject,
                operator,
                value: String::new(),
                upper: String::new(),
            });
        });
        focus_last(place, "[data-line]", "select");
    };
    let remove = Callback::new(move |id: u32| {
        query.update(|query| part.of_mut(query).list.retain(|one| one.id != id));
        focus_last(place, ".builder-add", "button");
    });
    let joined = Signal::derive(move || query.with(|query| part.of(query).joined));
    let (none, more, join) = match part {
        Part::Where => (text::no_filters(), text::add_filter(), text::joined()),
        Part::Having => (text::no_having(), text::add_having(), text::joined_groups()),
    };
    let several = Memo::new(move |_| ids.with(|ids| ids.len() > 1));
    view! {
        <div class="builder-lines" node_ref=place>
            {move || ids.with(Vec::is_empty).then(|| view! { <p class="subtle">{none}</p> })}
            <For each=move || ids.get() key=|id| *id let(id)>{line(form, part, id, ids, remove)}</For>
            <div class="row builder-add">
                <Button small=true icon=Icon::Plus on_press=add>{more}</Button>
                {move || several.get().then(|| view! {
                    <span class="muted">{join}</span>
                    <Segmented label=join value=joined on_choose=move |joined| query.update(|query| part.of_mut(query).joined = joined)
                        options=vec![(Joined::And, text::joined_and().to_owned()), (Joined::Or, text::joined_or().to_owned())]/>
                })}
            </div>
        </div>
    }
    .into_any()
}

fn usual(kind: Kind) -> Operator {
    if Operator::Equal.fits(kind) { Operator::Equal } else { Operator::IsNotNull }
}

fn line(form: Form, part: Part, id: u32, ids: Memo<Vec<u32>>, remove: Callback<u32>) -> AnyView {
    let query = form.query;
    let name = Memo::new(move |_| {
        let place = ids.with(|ids| ids.iter().position(|one| *one == id)).unwrap_or_default();
        part.line(place + 1)
    });
    let one = Memo::new(move |_| query.with(|query| part.find(query, id).cloned()));
    let read = move |pick: fn(&Condition) -> String| {
        Signal::derive(move || one.with(|one| one.as_ref().map(pick)).unwrap_or_default())
    };
    let kind = Memo::new(move |_| {
        query.with(|query| part.find(query, id).map_or(Kind::Other, |one| part.kind(query, &one.subject)))
    });
    let operator = Memo::new(move |_| one.with(|one| one.as_ref().map_or(Operator::Equal, |one| one.operator)));
    let subjects = Memo::new(move |_| query.with(|query| part.subjects(query)));
    let operators = Memo::new(move |_| {
        let kind = kind.get();
        let fitting = Operator::ALL.iter().filter(|operator| operator.fits(kind));
        fitting.map(|operator| (operator.word().to_owned(), operator_words(*operator))).collect::<Vec<_>>()
    });
    let change = move |act: Box<dyn FnOnce(&mut Condition)>| {
        query.update(|query| {
            if let Some(one) = part.find_mut(query, id) {
                act(one);
            }
        });
    };
    let choose_subject = Callback::new(move |subject: String| {
        query.update(|query| {
            let kind = part.kind(query, &subject);
            let Some(one) = part.find_mut(query, id) else { return };
            one.subject = subject;
            if !one.operator.fits(kind) {
                one.operator = usual(kind);
            }
        });
    });
    let choose_operator = Callback::new(move |word: String| {
        if let Some(operator) = Operator::parse(&word) {
            change(Box::new(move |one| one.operator = operator));
        }
    });
    let set_value = Callback::new(move |value: String| change(Box::new(move |one| one.value = value)));
    let set_upper = Callback::new(move |value: String| change(Box::new(move |one| one.upper = value)));
    // Nothing typed yet is no mistake.
    let error = Signal::derive(move || {
        let typed = one.with(|one| one.as_ref().is_some_and(|one| !one.value.is_empty() || !one.upper.is_empty()));
        (typed && form.lacks(&Gap::Value(id))).then(|| text::gap_value().to_owned())
    });
    let value = read(|one| one.value.clone());
    let upper = read(|one| one.upper.clone());
    let placeholder = Signal::derive(move || hint(kind.get(), operator.get()).to_owned());
    let face = Memo::new(move |_| (operator.get().values(), kind.get() == Kind::Boolean));
    let label = move |of: fn(String) -> String| Signal::derive(move || of(name.get()));
    view! {
        <div class="builder-line" role="group" data-line="" aria-label=move || name.get()>
            <Choose label=label(text::subject_of) options=subjects value=read(|one| one.subject.clone()) on_choose=choose_subject/>
            <Choose label=label(text::operator_of) options=operators value=read(|one| one.operator.word().to_owned()) on_choose=choose_operator/>
            <span class="builder-values">{move || match face.get() {
                (0, _) => ().into_any(),
                (_, true) => view! {
                    <Choose label=label(text::value_of) options=Signal::derive(truth) value on_choose=set_value/>
                }.into_any(),
                (2, false) => view! {
                    <Line label=label(text::value_of) value on_input=set_value placeholder error/>
                    <span class="muted">{text::and()}</span>
                    <Line label=label(text::upper_of) value=upper on_input=set_upper placeholder/>
                }.into_any(),
                (_, false) => view! {
                    <Line label=label(text::value_of) value on_input=set_value placeholder error/>
                }.into_any(),
            }}</span>
            <IconButton small=true icon=Icon::Trash label=label(text::remove) on_press=move |()| remove.run(id)/>
        </div>
    }
    .into_any()
}

fn truth() -> Vec<(String, String)> {
    let words = [("", text::choose_value()), ("TRUE", "TRUE"), ("FALSE", "FALSE")];
    words.into_iter().map(|(value, words)| (value.to_owned(), words.to_owned())).collect()
}

fn operator_words(operator: Operator) -> String {
    let words = match operator {
        Operator::Equal => text::op_equal(),
        Operator::NotEqual => text::op_not_equal(),
        Operator::Less => text::op_less(),
        Operator::LessOrEqual => text::op_less_or_equal(),
        Operator::Greater => text::op_greater(),
        Operator::GreaterOrEqual => text::op_greater_or_equal(),
        Operator::Like => text::op_like(),
        Operator::In => text::op_in(),
        Operator::Between => text::op_between(),
        Operator::IsNull => text::op_is_null(),
        Operator::IsNotNull => text::op_is_not_null(),
    };
    words.to_owned()
}

fn hint(kind: Kind, operator: Operator) -> &'static str {
    match (operator, kind) {
        (Operator::In, _) => text::hint_list(),
        (Operator::Like, _) => text::hint_like(),
        (_, Kind::Number) => text::hint_number(),
        (_, Kind::Date) => text::hint_date(),
        (_, Kind::Time) => text::hint_time(),
        (_, Kind::Timestamp | Kind::TimestampLtz) => text::hint_timestamp(),
        _ => text::hint_text(),
    }
}
