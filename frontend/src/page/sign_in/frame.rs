//! The two halves of the pages for those who are not signed in: a form, and water around a wheel.

use leptos::prelude::*;

use super::art::Art;
use crate::i18n::words;
use crate::ui::logo::Logo;

#[component]
pub fn SignInFrame(#[prop(into)] foot: ViewFn, children: Children) -> impl IntoView {
    view! {
        <main class="signin" id="main">
            <div class="signin-side">
                <p class="signin-brand"><Logo/>{words::product()}</p>
                {children()}
                <div class="signin-foot">{move || foot.run()}</div>
            </div>
            <div class="signin-art" aria-hidden="true"><Art/></div>
        </main>
    }
    .into_any()
}
