//! One field per kind of option.

use leptos::prelude::*;
use millrace_wire::connector::{OptionKind, OptionSchema};

use super::{Surroundings, help_of};
use crate::i18n::tables as text;
use crate::ui::check_field::CheckField;
use crate::ui::select_field::SelectField;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;

pub(super) fn option_field(option: OptionSchema, around: Surroundings) -> AnyView {
    let help = help_of(&option);
    let OptionSchema { name, title, class, kind, default, choices, .. } = option;
    let label = if title.is_empty() { name.clone() } else { title };
    let is_optional = class != millrace_wire::connector::OptionClass::Required;
    let value = bound(&name, around);
    let error = {
        let name = name.clone();
        Signal::derive(move || around.error_of.run(name.clone()))
    };
    let secret = name.clone();
    let on_blur = Callback::new(move |()| around.touched.run(name.clone()));
    match kind {
        OptionKind::Choice | OptionKind::Boolean => {
            let choices =
                if kind == OptionKind::Boolean { vec!["true".to_owned(), "false".to_owned()] } else { choices };
            let words = default.map_or_else(|| text::default_none().to_owned(), text::default_choice);
            let mut options = vec![(String::new(), words)];
            options.extend(choices.into_iter().map(|choice| (choice.clone(), choice)));
            view! { <SelectField label value options help error is_optional/> }.into_any()
        }
        OptionKind::Topic => view! {
            <TextField label value help error is_optional on_blur code=true
                placeholder=text::topic_placeholder().to_owned() suggestions=around.topics/>
        }
        .into_any(),
        OptionKind::Secret => {
            let stored = around.stored.with_value(|stored| stored.contains(&secret));
            let help = if stored { text::secret_stored().to_owned() } else { help };
            view! {
                <TextField label=label.clone() value help error is_optional on_blur kind="password" autocomplete="new-password"/>
                {stored.then(|| view! { <CheckField label=text::secret_erase(&label) value=erasing(secret, around)/> })}
            }
            .into_any()
        }
        OptionKind::Lines => view! { <TextArea label value help error is_optional code=true rows=8/> }.into_any(),
        OptionKind::Text | OptionKind::Integer | OptionKind::Duration | OptionKind::MemorySize | OptionKind::Path => {
            let placeholder = default.or_else(|| example(kind).map(str::to_owned));
            view! { <TextField label value help error is_optional on_blur code=true placeholder/> }.into_any()
        }
    }
}

fn example(kind: OptionKind) -> Option<&'static str> {
    match kind {
        OptionKind::Duration => Some("10 s"),
        OptionKind::MemorySize => Some("64 mb"),
        _ => None,
    }
}

/// A tick that asks to forget what is stored: the option is there and empty, which a field by itself never makes it.
fn erasing(name: String, around: Surroundings) -> RwSignal<bool> {
    let values = around.values;
    let asked = RwSignal::new(false);
    Effect::new(move |_| {
        let erase = asked.get();
        let written = values.with_untracked(|values| values.get(&name).cloned());
        match written {
            None if erase => values.update(|values| {
                values.insert(name.clone(), String::new());
            }),
            Some(text) if !erase && text.is_empty() => values.update(|values| {
                values.remove(&name);
            }),
            _ => {}
        }
    });
    asked
}

/// A signal of one option that follows the map and is followed by it; empty means absent.
fn bound(name: &str, around: Surroundings) -> RwSignal<String> {
    let values = around.values;
    let read = {
        let name = name.to_owned();
        move || values.with(|values| values.get(&name).cloned().unwrap_or_default())
    };
    let field = RwSignal::new(untrack(&read));
    Effect::new(move |_| {
        let outside = read();
        if field.with_untracked(|inside| *inside != outside) {
            field.set(outside);
        }
    });
    let name = name.to_owned();
    Effect::new(move |_| {
        let inside = field.get();
        let known = values.with_untracked(|values| values.get(&name).cloned().unwrap_or_default());
        if inside != known {
            values.update(|values| {
                if inside.is_empty() {
                    values.remove(&name);
                } else {
                    values.insert(name.clone(), inside);
                }
            });
        }
    });
    field
}
