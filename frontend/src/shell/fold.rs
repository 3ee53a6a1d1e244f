//! Whether the side menu is folded: the person's choice, except where a page wants the room.

use leptos::prelude::*;

use crate::address::use_address;
use crate::route::{Route, TeamRoute};
use crate::theme::{recall, remember};

const KEY: &str = "millrace.menu";

#[derive(Clone, Copy)]
pub(super) struct Fold {
    chosen: RwSignal<bool>,
    /// The editor wants the room: there the person's choice is one of its own.
    in_editor: RwSignal<bool>,
    editor: Memo<bool>,
}

impl Fold {
    pub(super) fn provide() -> Fold {
        let route = use_address().route();
        let fold = Fold {
            chosen: RwSignal::new(recall(KEY).as_deref() == Some("folded")),
            in_editor: RwSignal::new(true),
            editor: Memo::new(move |_| matches!(route.get(), Route::Team(_, TeamRoute::Editor(_)))),
        };
        Effect::new(move |_| remember(KEY, if fold.chosen.get() { "folded" } else { "open" }));
        provide_context(fold);
        fold
    }

    pub(super) fn is_folded(&self) -> bool {
        if self.editor.get() { self.in_editor.get() } else { self.chosen.get() }
    }

    pub(super) fn toggle(&self) {
        let choice = if self.editor.get_untracked() { self.in_editor } else { self.chosen };
        choice.update(|folded| *folded = !*folded);
    }
}
