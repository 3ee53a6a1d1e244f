//! Theme and density: kept in the browser, set on the page as `data-theme` and `data-density`. The boot script reads
//! the same keys before the first paint.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    System,
    Light,
    Dark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Density {
    Comfortable,
    Compact,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    pub const fn word(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

impl Density {
    pub const ALL: [Density; 2] = [Density::Comfortable, Density::Compact];

    pub const fn word(self) -> &'static str {
        match self {
            Density::Comfortable => "comfortable",
            Density::Compact => "compact",
        }
    }
}

#[derive(Clone, Copy)]
pub struct Look {
    pub theme: RwSignal<Theme>,
    pub density: RwSignal<Density>,
    /// What the system asks for.
    system_is_dark: RwSignal<bool>,
}

const THEME: &str = "millrace.theme";
const DENSITY: &str = "millrace.density";

impl Look {
    pub fn provide() -> Look {
        let stored = |key: &str| recall(key).unwrap_or_default();
        let theme = stored(THEME);
        let density = stored(DENSITY);
        let look = Look {
            theme: RwSignal::new(Theme::ALL.into_iter().find(|known| known.word() == theme).unwrap_or(Theme::System)),
            density: RwSignal::new(
                Density::ALL.into_iter().find(|known| known.word() == density).unwrap_or(Density::Comfortable),
            ),
            system_is_dark: RwSignal::new(asks_for_dark()),
        };
        Effect::new(move |_| {
            let theme = look.theme.get();
            remember(THEME, theme.word());
            mark("data-theme", (theme != Theme::System).then(|| theme.word()));
        });
        Effect::new(move |_| {
            let density = look.density.get();
            remember(DENSITY, density.word());
            mark("data-density", (density != Density::Comfortable).then(|| density.word()));
        });
        provide_context(look);
        look
    }

    pub fn is_dark(&self) -> bool {
        match self.theme.get() {
            Theme::System => self.system_is_dark.get(),
            theme => theme == Theme::Dark,
        }
    }

    /// The other one of light and dark, whatever is seen now.
    pub fn switch(&self) {
        let dark = untrack(|| self.is_dark());
        self.theme.set(if dark { Theme::Light } else { Theme::Dark });
    }
}

pub fn use_look() -> Look {
    expect_context::<Look>()
}

/// Keeps a small choice in this browser. Where storage is refused, the choice lasts until the page is left.
pub fn remember(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(key, value);
    }
}

pub fn forget(key: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.remove_item(key);
    }
}

pub fn recall(key: &str) -> Option<String> {
    window().local_storage().ok().flatten().and_then(|storage| storage.get_item(key).ok().flatten())
}

fn asks_for_dark() -> bool {
    window().match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|query| query.matches())
}

fn mark(name: &str, value: Option<&str>) {
    if let Some(root) = document().document_element() {
        let _ = match value {
            Some(value) => root.set_attribute(name, value),
            None => root.remove_attribute(name),
        };
    }
}
