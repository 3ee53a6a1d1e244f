//! Makes a variable or changes one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::variable::{Variable, VariableDraft};

use crate::api::{self, Failure};
use crate::i18n::{variables as text, words};
use crate::load::Loaded;
use crate::ui::button::{Button, Kind};
use crate::ui::check_field::CheckField;
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

#[derive(Clone, PartialEq)]
pub(super) enum Subject {
    New,
    Known(Variable),
}

const FIELDS: &[&str] = &["name", "value", "description"];

#[component]
pub(super) fn EditDialog(
    team: String,
    subject: RwSignal<Option<Subject>>,
    variables: Loaded<Vec<Variable>>,
) -> impl IntoView {
    let toasts = use_toasts();
    let team = StoredValue::new(team);
    let open = RwSignal::new(false);
    let (name, value, description) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let secret = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        let Some(subject) = subject.get() else { return };
        failure.set(None);
        match subject {
            Subject::New => {
                name.set(String::new());
                value.set(String::new());
                description.set(String::new());
                secret.set(false);
            }
            Subject::Known(variable) => {
                name.set(variable.name);
                value.set(variable.value);
                description.set(variable.description);
                secret.set(variable.secret);
            }
        }
        open.set(true);
    });
    Effect::new(move |_| {
        if !open.get() {
            subject.set(None);
            // A secret that was typed does not stay in the page.
            value.set(String::new());
        }
    });
    let was_secret = Memo::new(move |_| matches!(subject.get(), Some(Subject::Known(variable)) if variable.secret));
    let title = Signal::derive(move || match subject.get() {
        Some(Subject::Known(variable)) => text::edit_title(variable.name),
        _ => text::new_title().to_owned(),
    });
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        let Some(of) = subject.get_untracked() else { return };
        let typed = value.get_untracked();
        // Nothing typed keeps a stored secret.
        let keeps = was_secret.get_untracked() && secret.get_untracked() && typed.is_empty();
        let body = VariableDraft {
            name: name.get_untracked().trim().to_owned(),
            value: (!keeps).then_some(typed),
            secret: secret.get_untracked(),
            description: description.get_untracked(),
        };
        busy.set(true);
        failure.set(None);
        let base = team.with_value(|team| api::path::team(team, "variables"));
        spawn_local(async move {
            let is_new = of == Subject::New;
            let answer = match of {
                Subject::New => api::post::<Variable>(&base, &body).await,
                Subject::Known(known) => api::put::<Variable>(&format!("{base}/{}", known.id), &body).await,
            };
            let _ = busy.try_set(false);
            match answer {
                Ok(variable) => {
                    toasts.good(if is_new { text::made(variable.name) } else { text::saved(variable.name) });
                    let _ = open.try_set(false);
                    variables.reload();
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let other = move || failure.get().filter(|failure| !failure.is_only_at(FIELDS));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy on_press=save>{words::save()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <TextField label=text::name().to_owned() value=name code=true autofocus=true help=text::name_help().to_owned() error=at("name")/>
                <CheckField label=text::is_secret() value=secret help=text::is_secret_help()/>
                {move || match (secret.get(), was_secret.get()) {
                    (true, was_secret) => {
                        let help = if was_secret { text::secret_keeps() } else { text::secret_tip() };
                        view! {
                            <TextField label=text::secret_value().to_owned() value kind="password" code=true autocomplete="new-password" help=help.to_owned() error=at("value")/>
                        }
                        .into_any()
                    }
                    (false, was_secret) => {
                        let help = if was_secret { text::secret_now_plain() } else { text::value_help() };
                        view! { <TextArea label=text::value().to_owned() value code=true rows=2 help=help.to_owned() error=at("value")/> }.into_any()
                    }
                }}
                <TextField label=text::description().to_owned() value=description is_optional=true error=at("description")/>
                <p class="subtle small">{text::next_start()}</p>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
