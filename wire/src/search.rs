//! One search over pages and objects, for the palette and the top bar.

use crate::macros::wire;

wire! {
    pub struct SearchHit {
        /// `table`, `column`, `job`, `connection`, `database`, `function`
        pub kind: String,
        pub id: String,
        pub title: String,
        pub detail: String,
        /// Path in the console.
        pub href: String,
    }
}
