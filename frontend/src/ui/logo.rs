//! The channel that wraps the wheel; one colour, never animated.

use leptos::prelude::*;

#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <g fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round">
                <path d="M1 2.5h8A5.5 5.5 0 1 1 3.5 8"/>
                <path d="M9 8Q7.32 6.74 9.56 4.85M9 8Q10.93 7.18 11.45 10.06M9 8Q8.75 10.09 6 9.09"/>
            </g>
        </svg>
    }
}
