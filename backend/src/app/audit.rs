//! Reading the audit trail: a team's by its owners, the server's by its administrators. Nothing here changes it.

use millrace_wire::audit::{AuditChain, AuditOutcome};

use crate::access::audit::{Chain, Link};
use crate::access::identity::TeamCaller;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::audit::Wanted;

/// Entries read at once while the chain is followed or exported.
const AT_ONCE: i64 = 2_000;

/// What somebody looks for; absent is anything.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    pub words: Option<String>,
    pub person: Option<String>,
    pub outcome: Option<AuditOutcome>,
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// Whose entries: those of the team of `caller`, or all without one.
pub async fn wanted(app: &App, caller: Option<&TeamCaller>, looked: Looked) -> Result<Wanted> {
    let team = match caller {
        None => None,
        Some(caller) => {
            let team = store::team::by_slug(&app.store, &caller.slug).await?.ok_or_else(|| Error::not_found("team"))?;
            Some((team.slug, team.created_at))
        }
    };
    Ok(Wanted {
        team,
        person: looked.person.unwrap_or_default(),
        words: looked.words.unwrap_or_default().trim().to_lowercase(),
        outcome: looked.outcome,
        from: looked.from.unwrap_or(0),
        to: looked.to.unwrap_or(i64::MAX),
    })
}

/// Newest first, before number `before`; with how many there are under this filter.
pub async fn page(app: &App, wanted: &Wanted, before: Option<i64>, limit: i64) -> Result<(Vec<Link>, u64)> {
    let links = store::audit::newest(&app.store, wanted, before.unwrap_or(i64::MAX), limit).await?;
    Ok((links, store::audit::count(&app.store, wanted).await?))
}

/// The next ones after number `after`, oldest first; empty at the end.
pub async fn next(app: &App, wanted: &Wanted, after: i64) -> Result<Vec<Link>> {
    store::audit::oldest(&app.store, wanted, after, AT_ONCE).await
}

/// Follows the whole chain, of all teams: that is what shows whether an entry is missing.
pub async fn verify(app: &App) -> Result<AuditChain> {
    let mut chain = Chain::default();
    loop {
        let links = store::audit::list(&app.store, chain.seq(), AT_ONCE).await?;
        if links.is_empty() {
            break;
        }
        for link in &links {
            if !chain.follow(link) {
                let (entries, last_hash) = (count(chain.seq()), chain.hash().to_owned());
                return Ok(AuditChain { entries, broken_at: Some(link.seq), last_hash });
            }
        }
    }
    Ok(AuditChain { entries: count(chain.seq()), broken_at: None, last_hash: chain.hash().to_owned() })
}

fn count(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}
