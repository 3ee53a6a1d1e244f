//! Icons, drawn from one sprite that the browser keeps.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The address of a file of `assets/icon`, from the boot script.
    #[wasm_bindgen(js_namespace = millrace, js_name = asset, catch)]
    fn asset(name: &str) -> Result<Option<String>, JsValue>;
}

macro_rules! icons {
    ($($name:ident = $word:literal),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Icon { $($name),+ }

        impl Icon {
            pub const ALL: &'static [Icon] = &[$(Icon::$name),+];

            /// The id of its symbol in `assets/icon/sprite.svg`.
            pub const fn word(self) -> &'static str {
                match self { $(Icon::$name => $word),+ }
            }
        }
    };
}

icons! {
    Overview = "overview", Editor = "editor", Explore = "explore", Jobs = "jobs", Transfer = "transfer",
    Tables = "tables", Connections = "connections", Functions = "functions", Lineage = "lineage", Logs =
    "logs", Alerts = "alerts", Access = "access", Help = "help", Settings = "settings", Search =
    "search", Plus = "plus", Minus = "minus", Down = "down", Right = "right", Left = "left", Up = "up",
    Close = "close", More = "more", Play = "play", Pause = "pause", Stop = "stop", Restart = "restart",
    Save = "save", Check = "check", Warn = "warn", Error = "error", Info = "info", Copy = "copy", Link =
    "link", Filter = "filter", Clock = "clock", Download = "download", Columns = "columns", Key = "key",
    User = "user", Theme = "theme", Fold = "fold", Tag = "tag", History = "history", Test = "test",
    Deploy = "deploy", Format = "format", Topic = "topic", Database = "database", Lake = "lake", Cache =
    "cache", Chart = "chart", Bolt = "bolt", Window = "window", Join = "join", Calc = "calc", Pin =
    "pin", Mail = "mail", Expand = "expand", External = "external", List = "list", Graph = "graph",
    Trash = "trash", Eye = "eye", Arrow = "arrow", Grip = "grip",
}

thread_local! {
    static SPRITE: String = asset("sprite.svg").ok().flatten().unwrap_or_default();
}

impl Icon {
    pub fn view(self) -> AnyView {
        draw(self, false)
    }

    /// 14 px instead of 16.
    pub fn small(self) -> AnyView {
        draw(self, true)
    }
}

fn draw(icon: Icon, small: bool) -> AnyView {
    let href = SPRITE.with(|sprite| format!("{sprite}#{}", icon.word()));
    let size = if small { " icon-small" } else { "" };
    let class = format!("icon icon-{}{size}", icon.word());
    view! { <svg class=class aria-hidden="true" focusable="false"><use href=href></use></svg> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPRITE: &str = include_str!("../../../assets/icon/sprite.svg");

    #[test]
    fn every_icon_is_in_the_sprite_and_the_other_way_round() {
        for icon in Icon::ALL {
            assert!(SPRITE.contains(&format!("<symbol id=\"{}\" ", icon.word())), "{icon:?}");
        }
        assert_eq!(SPRITE.matches("<symbol ").count(), Icon::ALL.len());
    }
}
