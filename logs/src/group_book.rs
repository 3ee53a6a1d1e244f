//! Groups of errors of days that are gone: when they were first seen and how often, so that "new since today" stays true.
//!
//! One JSON file, `groups.json`, replaced as a whole. It names the days that went into it, so that a crash between writing it and
//! removing the day counts nothing twice. A group is forgotten half a year after it was last seen; of the most recent, ten
//! thousand are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::line::Day;
use crate::search::{GroupKey, Tallies};

const KEPT_DAYS: i32 = 183;
const MOST_GROUPS: usize = 10_000;

pub(crate) struct GroupBook {
    path: PathBuf,
    book: Mutex<Book>,
}

#[derive(Default, Serialize, Deserialize)]
struct Book {
    /// Days whose groups are in here.
    days: BTreeSet<String>,
    groups: Vec<Remembered>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Remembered {
    fingerprint: u64,
    team: String,
    job: String,
    count: u64,
    first: i64,
    last: i64,
    versions: BTreeMap<String, u64>,
}

impl GroupBook {
    pub(crate) fn open(path: PathBuf) -> Result<GroupBook> {
        let book = match std::fs::read(&path) {
            // A book that cannot be read is begun anew: it holds counts of the past, not lines.
            Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Book::default(),
            Err(cause) => return Err(cause.into()),
        };
        Ok(GroupBook { path, book: Mutex::new(book) })
    }

    pub(crate) fn remember(&self, day: Day, tallies: Tallies) -> Result<()> {
        let mut book = self.book.lock();
        if !book.days.insert(day.to_string()) {
            return Ok(());
        }
        let mut known: BTreeMap<(u64, String, String), Remembered> = BTreeMap::new();
        for group in book.groups.drain(..) {
            known.insert((group.fingerprint, group.team.clone(), group.job.clone()), group);
        }
        for (key, tally) in tallies {
            let GroupKey { fingerprint, team, job } = key;
            let group = known.entry((fingerprint, team.clone(), job.clone())).or_insert_with(|| Remembered {
                fingerprint,
                team,
                job,
                count: 0,
                first: tally.first,
                last: tally.last,
                versions: BTreeMap::new(),
            });
            group.count += tally.count;
            group.first = group.first.min(tally.first);
            group.last = group.last.max(tally.last);
            for (version, count) in tally.versions {
                *group.versions.entry(version).or_default() += count;
            }
        }
        book.groups = known.into_values().collect();
        self.write(&book)
    }

    /// Adds what is remembered of the groups that are asked for.
    pub(crate) fn add_to(&self, tallies: &mut Tallies) {
        for group in &self.book.lock().groups {
            let key = GroupKey { fingerprint: group.fingerprint, team: group.team.clone(), job: group.job.clone() };
            if let Some(tally) = tallies.get_mut(&key) {
                tally.count += group.count;
                tally.first = tally.first.min(group.first);
                for (version, count) in &group.versions {
                    *tally.versions.entry(version.clone()).or_default() += count;
                }
            }
        }
    }

    pub(crate) fn forget_before(&self, now: i64) -> Result<()> {
        let oldest = Day::of(now).plus(-KEPT_DAYS);
        let mut book = self.book.lock();
        let (days, groups) = (book.days.len(), book.groups.len());
        book.groups.retain(|group| Day::of(group.last) >= oldest);
        book.groups.sort_by_key(|group| std::cmp::Reverse(group.last));
        book.groups.truncate(MOST_GROUPS);
        book.days.retain(|day| day.parse::<Day>().is_ok_and(|day| day >= oldest));
        if (days, groups) != (book.days.len(), book.groups.len()) {
            self.write(&book)?;
        }
        Ok(())
    }

    fn write(&self, book: &Book) -> Result<()> {
        let hidden = self.path.with_file_name(".groups.json");
        let mut file = File::create(&hidden)?;
        file.write_all(&serde_json::to_vec(book).map_err(std::io::Error::from)?)?;
        file.sync_all()?;
        std::fs::rename(&hidden, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}
