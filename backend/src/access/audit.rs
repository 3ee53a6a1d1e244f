//! The audit trail: what an entry holds and how entries are chained.
//!
//! `hash = SHA-256(previous hash ‖ each field with its length in front)`. The chain starts from the empty string. A
//! changed, removed or reordered row breaks it from there on; [`verify`] finds the first broken one.

use sha2::{Digest, Sha256};

use super::secret::hex;

/// One call, done or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub at: i64,
    pub user_id: String,
    pub user_email: String,
    /// `session`, `token`, `none`, `server`.
    pub via: String,
    pub team_slug: String,
    /// Method and path template of the policy table.
    pub action: String,
    /// The path that was asked for.
    pub object: String,
    pub address: String,
    pub request_id: String,
    pub status: u16,
    /// `done`, or the stable code of the refusal.
    pub outcome: String,
    /// JSON without secrets: before and after.
    pub detail: String,
}

/// What a handler adds to its call's entry: carried beside the response.
#[derive(Clone, Debug)]
pub struct Change(pub serde_json::Value);

impl Change {
    /// `before` and `after` must hold no secrets; wire types do not.
    pub fn new(before: impl serde::Serialize, after: impl serde::Serialize) -> Self {
        Change(serde_json::json!({ "before": before, "after": after }))
    }
}

/// A stored entry with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub seq: i64,
    pub entry: Entry,
    pub previous_hash: String,
    pub hash: String,
}

pub fn link_hash(seq: i64, entry: &Entry, previous_hash: &str) -> String {
    let mut hash = Sha256::new();
    let numbers = [seq.to_string(), entry.at.to_string(), entry.status.to_string()];
    let texts = [
        previous_hash,
        &numbers[0],
        &numbers[1],
        &numbers[2],
        &entry.user_id,
        &entry.user_email,
        &entry.via,
        &entry.team_slug,
        &entry.action,
        &entry.object,
        &entry.address,
        &entry.request_id,
        &entry.outcome,
        &entry.detail,
    ];
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hex(&hash.finalize())
}

/// Goes along the chain, a part at a time.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    seq: i64,
    hash: String,
}

impl Chain {
    /// Whether `link` follows from all before it. After a link that does not, nothing more can be said.
    pub fn follow(&mut self, link: &Link) -> bool {
        let follows = link.seq == self.seq + 1 && link.previous_hash == self.hash;
        let holds = follows && link.hash == link_hash(link.seq, &link.entry, &link.previous_hash);
        (self.seq, self.hash) = (link.seq, link.hash.clone());
        holds
    }

    /// Number of the last link.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// The number of the first entry that does not follow from the one before it.
pub fn verify<'a>(links: impl IntoIterator<Item = &'a Link>) -> Option<i64> {
    let mut chain = Chain::default();
    links.into_iter().find(|link| !chain.follow(link)).map(|link| link.seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: i64) -> Vec<Link> {
        let mut previous_hash = String::new();
        (1..=count)
            .map(|seq| {
                let entry = Entry { at: seq, action: "POST /teams".into(), ..Entry::default() };
                let hash = link_hash(seq, &entry, &previous_hash);
                let previous_hash = std::mem::replace(&mut previous_hash, hash.clone());
                Link { seq, entry, previous_hash, hash }
            })
            .collect()
    }

    #[test]
    fn an_untouched_chain_holds() {
        assert_eq!(verify(&chain(5)), None);
    }

    #[test]
    fn changes_gaps_and_swaps_show() {
        let mut changed = chain(5);
        changed[2].entry.outcome = "done".into();
        assert_eq!(verify(&changed), Some(3));
        let mut gap = chain(5);
        gap.remove(1);
        assert_eq!(verify(&gap), Some(3));
        let mut moved = chain(1);
        // The same bytes under another field are another entry.
        moved[0].entry.object = std::mem::take(&mut moved[0].entry.action);
        assert_eq!(verify(&moved), Some(1));
    }
}
