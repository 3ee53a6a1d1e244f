//! Notices for the person, and how many requests wait for a decision: loaded once, and again when the server says that
//! rights or requests have changed.

use leptos::prelude::*;
use millrace_wire::live::LiveEvent;
use millrace_wire::request::Inbox;
use millrace_wire::session::Session;

use crate::api;
use crate::live::use_live;
use crate::load::{Loaded, load};
use crate::session::use_session;

#[derive(Clone, Copy)]
pub struct InboxState(pub Loaded<Inbox>);

impl InboxState {
    pub fn provide() -> InboxState {
        let inbox = load(|| (), |()| async { api::get::<Inbox>("/notices").await });
        let session = use_session().current;
        use_live().on(move |event| {
            if matches!(event, LiveEvent::Reset) {
                inbox.reload();
                leptos::task::spawn_local(async move {
                    // Another team may have opened something.
                    // Who signed out meanwhile stays signed out.
                    if let Ok(found) = api::get::<Session>("/session").await
                        && session.try_with_untracked(Option::is_some) == Some(true)
                    {
                        let _ = session.try_set(Some(found));
                    }
                });
            }
        });
        provide_context(InboxState(inbox));
        InboxState(inbox)
    }

    pub fn unread(&self) -> Signal<u64> {
        let inbox = self.0;
        Signal::derive(move || inbox.with(|inbox| inbox.unread).unwrap_or(0))
    }

    pub fn to_decide(&self) -> Signal<u64> {
        let inbox = self.0;
        Signal::derive(move || inbox.with(|inbox| inbox.to_decide).unwrap_or(0))
    }

    pub fn mark_read(&self) {
        let inbox = self.0;
        leptos::task::spawn_local(async move {
            if api::send_only("/notices/read").await.is_ok() {
                inbox.reload();
            }
        });
    }
}

pub fn use_inbox() -> InboxState {
    expect_context::<InboxState>()
}
