//! One of a few, seen all at once.

use leptos::prelude::*;

#[component]
pub fn Segmented<T>(
    /// What is chosen here, for those who do not see it.
    #[prop(into)]
    label: String,
    options: Vec<(T, String)>,
    #[prop(into)] value: Signal<T>,
    #[prop(into)] on_choose: Callback<T>,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    view! {
        <span class="segmented" role="group" aria-label=label>
            {options.into_iter().map(|(option, label)| view! {
                <button
                    type="button"
                    aria-pressed=move || (value.get() == option).to_string()
                    on:click=move |_| on_choose.run(option)
                >
                    {label}
                </button>
            }).collect_view()}
        </span>
    }
    .into_any()
}
