//! Asks before something is lost, naming what follows. What cannot be undone and matters asks to type the name.

use leptos::prelude::*;

use super::button::{Button, Kind};
use super::dialog::Dialog;
use super::text_field::TextField;
use crate::i18n::words;

#[component]
pub fn Confirm(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    /// What follows, one sentence per line.
    #[prop(into)]
    consequences: Signal<Vec<String>>,
    /// The verb on the button.
    #[prop(into)]
    action: String,
    /// The name to type, where that is asked.
    #[prop(optional, into)]
    type_name: MaybeProp<String>,
    #[prop(optional, into)] busy: Signal<bool>,
    #[prop(optional, into)] error: MaybeProp<String>,
    #[prop(into)] on_confirm: Callback<()>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    Effect::new(move |_| {
        if !open.get() {
            typed.set(String::new());
        }
    });
    let reason = Signal::derive(move || {
        let name = type_name.get()?;
        (typed.get().trim() != name).then(|| format!("Type {name} first."))
    });
    let action = StoredValue::new(action);
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Danger reason=reason busy=busy on_press=on_confirm>{action.get_value()}</Button>
        }
    };
    view! {
        <Dialog open title foot=foot>
            {move || consequences.get().into_iter().map(|line| view! { <p>{line}</p> }).collect_view()}
            {move || type_name.get().map(|name| view! {
                <TextField label=format!("Type {name} to confirm") value=typed code=true/>
            })}
            {move || error.get().map(|error| view! { <p class="bad" role="alert">{error}</p> })}
        </Dialog>
    }
    .into_any()
}
