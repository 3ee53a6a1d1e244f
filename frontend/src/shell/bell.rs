//! Notices in the top bar: how many are unread, the newest of them with the way to what they are about.

use leptos::prelude::*;

use crate::i18n::catalogue as text;
use crate::inbox::use_inbox;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};

/// More stand in nobody's way: they are read or past.
const SHOWN: usize = 12;

#[component]
pub(super) fn Bell() -> impl IntoView {
    let inbox = use_inbox();
    let unread = inbox.unread();
    let label = Signal::derive(move || match unread.get() {
        0 => text::notices().to_owned(),
        count => text::notices_unread(count),
    });
    let items = Signal::derive(move || {
        let notices = inbox.0.with(|inbox| inbox.notices.clone()).unwrap_or_default();
        if notices.is_empty() {
            return vec![MenuItem::go(text::no_notices(), None, "/requests")];
        }
        let shown = notices.into_iter().take(SHOWN).map(|notice| {
            let words =
                if notice.body.is_empty() { notice.title } else { format!("{}: {}", notice.title, notice.body) };
            let icon = if notice.read { Icon::Check } else { Icon::Mail };
            MenuItem::go(words, Some(icon), notice.href)
        });
        let mark = MenuItem::run(text::mark_read(), None, move || inbox.mark_read());
        shown.chain([MenuItem::rule(), mark]).collect::<Vec<_>>()
    });
    view! {
        <span class="menu-anchor">
            <Menu label class="icon-button" items>{Icon::Mail.view()}</Menu>
            {move || (unread.get() > 0).then(|| view! { <span class="topbar-count" aria-hidden="true">{unread.get()}</span> })}
        </span>
    }
    .into_any()
}
