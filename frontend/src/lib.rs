//! The console: a Leptos application that runs in the browser and talks to `/api/v1` only.
//!
//! Direction of use: `page → widget → ui`, with `api`, `session`, `live` and `format` beside them; nothing points
//! back. Every string a person reads is in `i18n`. Every address is a [`route::Route`].
//!
//! Reading order: `route`, `app`, `api`, then a page.

#![allow(unreachable_pub, reason = "the component macro makes a public item of every component")]

pub mod app;
pub mod route;

pub mod address;
pub mod api;
pub mod chunk;
pub mod clock;
pub mod inbox;
pub mod live;
pub mod load;
mod panic;
mod parts;
pub mod rights;
pub mod session;
pub mod theme;

pub mod format;
pub mod i18n;

pub mod page;
pub mod shell;
pub mod ui;
pub mod widget;

/// Puts the console into the page.
pub fn start() {
    panic::set_hook();
    leptos::mount::mount_to_body(app::App);
}
