//! A failed call, in place of what it should have shown: what happened, what to do, code and request id.

use leptos::prelude::*;

use super::button::{Button, Kind};
use super::copy_button::CopyButton;
use super::icon::Icon;
use crate::api::Failure;
use crate::i18n::failure as text;

/// In place of the content.
#[component]
pub fn FailureView(failure: Failure, #[prop(optional, into)] retry: Option<Callback<()>>) -> impl IntoView {
    let (title, body) = if failure.is_not_found() {
        (text::not_found().to_owned(), text::not_found_body().to_owned())
    } else if failure.is_forbidden() {
        (text::no_permission().to_owned(), text::no_permission_body().to_owned())
    } else {
        (text::failed().to_owned(), failure.sentence())
    };
    let again = (!failure.is_not_found() && !failure.is_forbidden()).then_some(retry).flatten();
    view! {
        <div class="empty" role="alert">
            {Icon::Error.view()}
            <h2>{title}</h2>
            <p>{body}</p>
            <FailureDetails failure/>
            <div class="empty-actions">
                {again.map(|again| view! { <Button icon=Icon::Restart on_press=again>{text::try_again()}</Button> })}
            </div>
        </div>
    }
    .into_any()
}

/// Beside a form or a button: the sentence, and what to quote when asking for help.
#[component]
pub fn FailureNote(failure: Failure) -> impl IntoView {
    view! {
        <div class="callout callout-bad" role="alert">
            {Icon::Error.view()}
            <strong>{failure.error.message.clone()}</strong>
            {failure.error.hint.clone().map(|hint| view! { <p>{hint}</p> })}
            {failure.error.details.iter().filter(|detail| detail.message != failure.error.message).map(|detail| view! {
                <p class="small"><span class="code">{detail.field.clone()}</span>" "{detail.message.clone()}</p>
            }).collect_view()}
            <FailureDetails failure/>
        </div>
    }
    .into_any()
}

#[component]
fn FailureDetails(failure: Failure) -> impl IntoView {
    let details = if failure.error.request_id.is_empty() {
        failure.error.code.clone()
    } else {
        text::details(&failure.error.code, &failure.error.request_id)
    };
    view! {
        <p class="small subtle row">
            <span class="code">{details.clone()}</span>
            <CopyButton text=details/>
        </p>
    }
    .into_any()
}

/// The console itself broke; put over everything by the panic hook.
pub fn broken_view() -> AnyView {
    let reload = Callback::new(|()| {
        let _ = window().location().reload();
    });
    view! {
        <div class="empty page" role="alert">
            {Icon::Error.view()}
            <h1>{text::broken()}</h1>
            <p>{text::broken_body()}</p>
            <div class="empty-actions"><Button kind=Kind::Primary on_press=reload>{text::reload()}</Button></div>
        </div>
    }
    .into_any()
}
