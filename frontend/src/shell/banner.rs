//! Says that the server cannot be heard. What is on screen stays, greyed.

use leptos::prelude::*;

use crate::clock::use_clock;
use crate::format::age::{age, between};
use crate::i18n::{failure, shell as text};
use crate::live::{Line, use_live};
use crate::ui::button::Button;
use crate::ui::icon::Icon;

#[component]
pub(super) fn LostBanner() -> impl IntoView {
    let live = use_live();
    let clock = use_clock();
    let lost = live.is_lost();
    let since = move || match live.line().get() {
        Line::Lost(since) => age(between(since, clock.get())),
        _ => String::new(),
    };
    let reload = Callback::new(|()| {
        let _ = window().location().reload();
    });
    view! {
        {move || lost.get().then(|| view! {
            <div class="banner banner-warn" role="alert">
                {Icon::Warn.view()}
                <span>{move || text::lost_banner(since())}</span>
                <span class="banner-end"><Button small=true on_press=reload>{failure::reload()}</Button></span>
            </div>
        })}
    }
    .into_any()
}
