//! A passing word about something that was done elsewhere on the page or that ended; it links to the object. Errors
//! that belong to a field or a place are shown there instead.

use std::time::Duration;

use leptos::prelude::*;

use super::button::IconButton;
use super::icon::Icon;
use crate::i18n::words;

#[derive(Clone, Debug)]
pub struct Toast {
    pub good: bool,
    pub title: String,
    pub body: String,
    /// Words and address.
    pub link: Option<(String, String)>,
}

#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<(u32, Toast)>>,
    next: StoredValue<u32>,
}

const SHOWN_FOR: Duration = Duration::from_secs(6);
/// Bad news stays longer: it is read before it is acted on.
const BAD_SHOWN_FOR: Duration = Duration::from_secs(15);

impl Toasts {
    pub fn provide() -> Toasts {
        let toasts = Toasts { shown: RwSignal::new(Vec::new()), next: StoredValue::new(0) };
        provide_context(toasts);
        toasts
    }

    pub fn good(&self, title: impl Into<String>) {
        self.push(Toast { good: true, title: title.into(), body: String::new(), link: None });
    }

    pub fn bad(&self, title: impl Into<String>, body: impl Into<String>) {
        self.push(Toast { good: false, title: title.into(), body: body.into(), link: None });
    }

    pub fn push(&self, toast: Toast) {
        let number = self.next.get_value();
        self.next.set_value(number.wrapping_add(1));
        let time = if toast.good { SHOWN_FOR } else { BAD_SHOWN_FOR };
        self.shown.update(|shown| shown.push((number, toast)));
        let this = *self;
        set_timeout(move || this.dismiss(number), time);
    }

    fn dismiss(&self, number: u32) {
        let _ = self.shown.try_update(|shown| shown.retain(|(known, _)| *known != number));
    }
}

pub fn use_toasts() -> Toasts {
    expect_context::<Toasts>()
}

#[component]
pub fn ToastStack() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toast-stack" role="status" aria-live="polite">
            <For each=move || toasts.shown.get() key=|(number, _)| *number let((number, toast))>
                <div class=if toast.good { "toast toast-good" } else { "toast toast-bad" }>
                    {if toast.good { Icon::Check } else { Icon::Error }.view()}
                    <div>
                        <strong>{toast.title}</strong>
                        {(!toast.body.is_empty()).then(|| view! { <p class="toast-body">{toast.body}</p> })}
                        {toast.link.map(|(words, href)| view! { <p class="toast-body"><a class="link" href=href>{words}</a></p> })}
                    </div>
                    <IconButton icon=Icon::Close small=true label=words::dismiss().to_owned() on_press=move |()| toasts.dismiss(number)/>
                </div>
            </For>
        </div>
    }
    .into_any()
}
