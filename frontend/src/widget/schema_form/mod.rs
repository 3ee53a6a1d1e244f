//! A form from the option schema of a connector or format, in three classes: what has to be given is asked, what has
//! a default is under "more options", what the platform fills in is shown as a fact.

mod kinds;

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::connector::{OptionClass, OptionSchema, OptionSide};

use crate::i18n::tables as text;
use crate::ui::facts::{Fact, Facts};
use kinds::option_field;

/// Values by option name; an option that is absent has its default.
pub type Values = RwSignal<BTreeMap<String, String>>;

/// What the fields need besides their schema.
#[derive(Clone, Copy)]
pub struct Surroundings {
    pub values: Values,
    /// The message for the option of that name, if there is one to show now.
    pub error_of: Callback<String, Option<String>>,
    /// The person has been in the field of that name.
    pub touched: Callback<String>,
    /// Topics of the chosen connection.
    pub topics: Signal<Vec<String>>,
    /// Secrets that are stored, by option name; their values are not here.
    pub stored: StoredValue<Vec<String>>,
    /// What the platform fills in, by option name.
    pub platform: Signal<BTreeMap<String, String>>,
}

#[component]
pub fn SchemaForm(
    options: Vec<OptionSchema>,
    around: Surroundings,
    /// The options are those of a format.
    #[prop(optional)]
    of_format: bool,
) -> impl IntoView {
    let of = |class: OptionClass| options.iter().filter(|option| option.class == class).cloned().collect::<Vec<_>>();
    let required = of(OptionClass::Required);
    let defaulted = of(OptionClass::Defaulted);
    let platform = of(OptionClass::Platform);
    let names: Vec<String> = defaulted.iter().map(|option| option.name.clone()).collect();
    let set = move || around.values.with(|values| names.iter().filter(|name| values.contains_key(*name)).count());
    view! {
        {(!required.is_empty()).then(|| view! {
            <div class="form-grid">{required.into_iter().map(|option| option_field(option, around)).collect_view()}</div>
        })}
        {(!defaulted.is_empty()).then(|| view! {
            <details class="form-more">
                <summary>
                    {if of_format { text::more_format_options() } else { text::more_options() }}
                    {move || (set() > 0).then(|| view! { " "<span class="subtle small">{text::more_options_set(set())}</span> })}
                </summary>
                <div class="form-grid">{defaulted.into_iter().map(|option| option_field(option, around)).collect_view()}</div>
            </details>
        })}
        {(!platform.is_empty()).then(|| view! {
            <details class="form-more">
                <summary>{text::platform_filled()}</summary>
                <Facts from_start=true>
                    {platform.into_iter().map(|option| {
                        let (name, shown) = (option.name.clone(), option.name);
                        let value = move || around.platform.with(|all| all.get(&name).cloned()).unwrap_or_else(|| option.help.clone());
                        view! { <Fact name=shown><span class="muted">{value}</span></Fact> }
                    }).collect_view()}
                </Facts>
            </details>
        })}
    }
    .into_any()
}

/// "reading only", for options of one side.
fn side_words(side: OptionSide) -> Option<&'static str> {
    match side {
        OptionSide::Both => None,
        OptionSide::Source => Some(text::only_reading()),
        OptionSide::Sink => Some(text::only_writing()),
    }
}

/// Help, side and default in one line.
fn help_of(option: &OptionSchema) -> String {
    let mut out = option.help.clone();
    if let Some(words) = side_words(option.side) {
        out = format!("{out} ({words})").trim().to_owned();
    }
    if let Some(default) = option.default.as_ref().filter(|default| !default.is_empty()) {
        let point = if out.is_empty() || out.ends_with('.') { "" } else { "." };
        out = format!("{out}{point} {}", text::default_is(default)).trim().to_owned();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_wire::connector::OptionKind;

    #[test]
    fn help_names_side_and_default() {
        let option = OptionSchema {
            name: "scan.startup.mode".into(),
            title: "Start".into(),
            help: "Where reading starts".into(),
            class: OptionClass::Defaulted,
            kind: OptionKind::Choice,
            default: Some("earliest-offset".into()),
            choices: Vec::new(),
            side: OptionSide::Source,
        };
        assert_eq!(help_of(&option), "Where reading starts (reading only). Default: earliest-offset");
    }
}
