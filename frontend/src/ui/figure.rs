//! A number in short form with the exact one on hover.

use leptos::prelude::*;

use crate::format::number;
use crate::i18n::words;

#[component]
pub fn Figure(#[prop(into)] value: Signal<Option<f64>>) -> impl IntoView {
    let short = Memo::new(move |_| value.get().map(number::short));
    let exact = move || value.get().map(|value| number::grouped_signed(value.round() as i64));
    view! {
        <span title=exact>
            {move || short.get().map_or_else(
                || view! { <span class="subtle">{words::not_known()}</span> }.into_any(),
                |text| text.into_any(),
            )}
        </span>
    }
    .into_any()
}
