//! An SQL expression over parameters, checked while it is written.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::sql::Diagnostic;
use millrace_wire::user_function::{MacroCheck, NewMacro};

use super::Form;
use crate::api;
use crate::i18n::functions as text;
use crate::ui::icon::Icon;
use crate::ui::text_area::TextArea;

/// After the last key.
const PAUSE_MS: u32 = 400;

#[component]
pub(super) fn ExpressionPart(form: Form, path: String) -> impl IntoView {
    let checked = RwSignal::new(None::<MacroCheck>);
    let asked = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let (name, definition) = (form.name.get(), form.definition.get());
        form.failure.set(None);
        asked.update_value(|asked| *asked += 1);
        let number = asked.get_value();
        if definition.trim().is_empty() {
            checked.set(None);
            return;
        }
        let path = format!("{path}/check");
        spawn_local(async move {
            TimeoutFuture::new(PAUSE_MS).await;
            if asked.try_get_value() != Some(number) {
                return;
            }
            let request =
                NewMacro { name: name.trim().to_owned(), definition, remark: String::new(), overwrite: false };
            let answer = api::post::<MacroCheck>(&path, &request).await;
            if asked.try_get_value() == Some(number) {
                // What cannot be asked now is said when it is saved.
                checked.set(answer.ok());
            }
        });
    });
    let error = Signal::derive(move || {
        let found = checked.with(|checked| checked.as_ref().and_then(|checked| checked.problems.first().map(in_words)));
        form.error_at("definition").or(found)
    });
    let signature = move || checked.with(|checked| checked.as_ref()?.info.as_ref().map(|info| info.signature.clone()));
    view! {
        <TextArea label=text::definition().to_owned() value=form.definition rows=6 code=true
            help=text::definition_help().to_owned() error=error/>
        {move || signature().filter(|_| error.get().is_none()).map(|signature| view! {
            <p class="row good-line" role="status">{Icon::Check.small()}<span class="code">{signature}</span></p>
        })}
    }
    .into_any()
}

fn in_words(problem: &Diagnostic) -> String {
    let hint = problem.hint.as_ref().map(|hint| format!(" {hint}")).unwrap_or_default();
    match &problem.span {
        Some(span) => text::at(span.line, span.column, format!("{}{hint}", problem.message)),
        None => format!("{}{hint}", problem.message),
    }
}
