//! Copies a text and says so on the spot.

use std::time::Duration;

use leptos::prelude::*;

use super::button::{Button, IconButton, Kind};
use super::icon::Icon;
use crate::i18n::words;

#[component]
pub fn CopyButton(
    #[prop(into)] text: Signal<String>,
    /// With words beside the icon.
    #[prop(optional, into)]
    label: Option<String>,
) -> impl IntoView {
    let done = RwSignal::new(false);
    let copy = Callback::new(move |()| {
        let _ = window().navigator().clipboard().write_text(&text.get_untracked());
        done.set(true);
        set_timeout(
            move || {
                let _ = done.try_set(false);
            },
            Duration::from_millis(1_500),
        );
    });
    match label {
        Some(label) => {
            let label = StoredValue::new(label);
            view! {
                <Button kind=Kind::Quiet small=true icon=Icon::Copy on_press=copy>
                    {move || if done.get() { words::copied().to_owned() } else { label.get_value() }}
                </Button>
            }
            .into_any()
        }
        None => {
            let label = Signal::derive(move || if done.get() { words::copied() } else { words::copy() }.to_owned());
            view! { <IconButton icon=Icon::Copy small=true label on_press=copy/> }.into_any()
        }
    }
}
