//! Mail, when the server has somebody to send by. Whoever writes a notice queues the mail in the same transaction; what
//! is queued is sent at least once, with back-off, and carries the same Message-ID at every try.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::clock::now_ms;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::mail::MailRow;

const LOOK_EVERY: Duration = Duration::from_secs(5);
const AT_ONCE: u32 = 20;
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// Longer than a try takes: until then nobody else tries the same mail.
const CLAIMED_MS: i64 = 2 * 60 * 1000;
const FIRST_PAUSE_MS: i64 = 30 * 1000;
const LONGEST_PAUSE_MS: i64 = 60 * 60 * 1000;
/// With the pauses, a little more than a day.
const MOST_ATTEMPTS: u32 = 30;

/// The way out, as it is configured.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// `None`: this server sends no mail.
    pub fn new(config: &Config) -> Result<Option<Mailer>> {
        let (Some(url), Some(from)) = (&config.smtp_url, &config.smtp_from) else { return Ok(None) };
        let unusable = |what: &str| Error::internal(anyhow::anyhow!("{what} cannot be used"));
        // What is wrong with it may hold the password: it is not repeated.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| unusable("smtp_url"))?;
        let from = from.parse().map_err(|_| unusable("smtp_from"))?;
        Ok(Some(Mailer { transport: builder.timeout(Some(ANSWERS_WITHIN)).build(), from }))
    }

    fn message(&self, mail: &MailRow) -> anyhow::Result<Message> {
        let host = self.from.email.domain();
        Ok(Message::builder()
            .from(self.from.clone())
            .to(mail.recipient.parse()?)
            .subject(mail.subject.clone())
            .message_id(Some(format!("<{}@{host}>", mail.id)))
            .body(mail.body.clone())?)
    }
}

/// Until the server stops.
pub async fn keep_sending(app: Arc<App>) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            () = app.shutdown.cancelled() => return,
        }
        if let Err(error) = send_due(&app, now_ms()).await {
            tracing::warn!(%error, "mails that wait could not be looked for");
        }
    }
}

/// How many were sent.
pub async fn send_due(app: &App, now: i64) -> Result<u32> {
    let Some(mailer) = &app.mailer else { return Ok(0) };
    let mut sent = 0;
    for mail in store::mail::due(&app.store, now, AT_ONCE).await? {
        if !store::mail::claim(&app.store, &mail, now + CLAIMED_MS).await? {
            continue;
        }
        match deliver(mailer, &mail).await {
            Ok(()) => {
                store::mail::sent(&app.store, mail.id, now).await?;
                sent += 1;
            }
            Err(failure) => {
                let attempts = mail.attempts + 1;
                let again = (!failure.is_final && attempts < MOST_ATTEMPTS).then(|| now + pause(attempts));
                tracing::warn!(mail.id = %mail.id, attempts, gives_up = again.is_none(), "a mail was not sent: {}", failure.why);
                store::mail::failed(&app.store, mail.id, &failure.why, again).await?;
            }
        }
    }
    Ok(sent)
}

struct Failure {
    why: String,
    is_final: bool,
}

async fn deliver(mailer: &Mailer, mail: &MailRow) -> std::result::Result<(), Failure> {
    let message = mailer.message(mail).map_err(|cause| Failure { why: cause.to_string(), is_final: true })?;
    let failure = |cause: smtp::Error| Failure { why: cause.to_string(), is_final: cause.is_permanent() };
    // The transport's own limit is for connecting alone.
    match tokio::time::timeout(TAKEN_WITHIN, mailer.transport.send(message)).await {
        Ok(outcome) => outcome.map(drop).map_err(failure),
        Err(_) => Err(Failure { why: "the mail server does not answer".to_owned(), is_final: false }),
    }
}

/// After so many tries in vain.
fn pause(attempts: u32) -> i64 {
    let doublings = attempts.saturating_sub(1).min(16);
    (FIRST_PAUSE_MS << doublings).min(LONGEST_PAUSE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_an_hour() {
        assert_eq!([1, 2, 3, 9, 40].map(pause), [30_000, 60_000, 120_000, 3_600_000, 3_600_000]);
    }
}
