//! The message at a field: it goes as soon as the field is changed, and comes again with the next word on it.

use leptos::prelude::*;

#[derive(Clone, Copy)]
pub(super) struct FieldError {
    pub(super) shown: Signal<Option<String>>,
    edited: RwSignal<bool>,
}

impl FieldError {
    pub(super) fn new(error: MaybeProp<String>) -> FieldError {
        let edited = RwSignal::new(false);
        // A form that is sent again, or a check that follows the typing, speaks of the field as it is now.
        Effect::new(move |_| {
            let _ = error.get();
            edited.set(false);
        });
        FieldError { shown: Signal::derive(move || error.get().filter(|_| !edited.get())), edited }
    }

    /// What was said no longer speaks of what stands there.
    pub(super) fn changed(self) {
        if !self.edited.get_untracked() {
            self.edited.set(true);
        }
    }

    pub(super) fn invalid(self) -> Option<&'static str> {
        self.shown.with(Option::is_some).then_some("true")
    }
}
