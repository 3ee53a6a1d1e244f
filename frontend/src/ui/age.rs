//! Time relative to now, with the exact time on hover.

use leptos::prelude::*;

use crate::clock::{local, use_clock};
use crate::format::age::{age, between};
use crate::i18n::words;

/// `4 s`: how long since `at`.
#[component]
pub fn AgeOf(#[prop(into)] at: Signal<i64>) -> impl IntoView {
    let clock = use_clock();
    let text = Memo::new(move |_| age(between(at.get(), clock.get())));
    view! { <time title=move || local(at.get()).full()>{move || text.get()}</time> }.into_any()
}

/// `4 s ago`
#[component]
pub fn Ago(#[prop(into)] at: Signal<i64>) -> impl IntoView {
    let clock = use_clock();
    let text = Memo::new(move |_| words::ago(age(between(at.get(), clock.get()))));
    view! { <time class="nowrap" title=move || local(at.get()).full()>{move || text.get()}</time> }.into_any()
}
