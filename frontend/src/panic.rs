//! When the console itself breaks: the reason goes to the browser's console, and the page says so.

use std::cell::Cell;

use leptos::prelude::*;

thread_local! {
    static BROKEN: Cell<Option<RwSignal<bool>>> = const { Cell::new(None) };
}

/// True once something panicked.
pub(crate) fn watch() -> Signal<bool> {
    let broken = RwSignal::new(false);
    BROKEN.with(|cell| cell.set(Some(broken)));
    broken.into()
}

/// To be called before anything else.
pub(crate) fn set_hook() {
    std::panic::set_hook(Box::new(|info| {
        leptos::logging::error!("{info}");
        // The view may be what broke, so it is changed from outside.
        set_timeout(
            || {
                if let Some(broken) = BROKEN.with(Cell::get) {
                    let _ = broken.try_set(true);
                }
            },
            std::time::Duration::ZERO,
        );
    }));
}
