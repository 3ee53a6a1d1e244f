//! Telling a person something: in the console, and by mail where the server can.

use millrace_wire::ids::UserId;

use crate::error::Result;
use crate::state::App;
use crate::store::notice::NewNotice;
use crate::store::{self, Tx};

/// What a mail needs beside the notice.
#[derive(Clone, Debug)]
pub(super) struct Letterhead {
    /// Where the console is; `None` while the server sends no mail.
    console: Option<String>,
}

impl Letterhead {
    pub(super) fn of(app: &App) -> Letterhead {
        Letterhead { console: app.mailer.is_some().then(|| app.config.origin()) }
    }

    /// Notice and mail are written together, or not at all.
    pub(super) async fn tell(&self, tx: &mut Tx, user: UserId, notice: &NewNotice, now: i64) -> Result<()> {
        store::notice::insert(tx, user, notice, now).await?;
        let Some(console) = &self.console else { return Ok(()) };
        let body = format!("{}\n\n{}\n\n{console}{}\n", notice.title, notice.body, notice.href);
        store::mail::queue(tx, user, &notice.title, &body, now).await
    }
}
