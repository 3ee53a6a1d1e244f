//! The rows that are loaded: the first page under filter and order, more on demand, kept true by live events.

use std::collections::HashSet;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, JobSummary};
use millrace_wire::job_life::{JobCounts, JobFilter};
use millrace_wire::live::LiveEvent;
use millrace_wire::page::Page;

use super::order;
use crate::address::Address;
use crate::api::{self, Failure};
use crate::clock::now;
use crate::live::{Live, use_live};
use crate::load::{Loaded, load};
use crate::ui::toast::{Toasts, use_toasts};

const PAGE: usize = 100;
/// What the server gives at once.
const MOST: usize = 1000;
const SPARK_POINTS: usize = 60;
/// While somebody types, and while many jobs change.
const TYPING: Duration = Duration::from_millis(150);
const SOON: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
pub(super) struct JobRows {
    pub(super) page: Loaded<Page<JobSummary>>,
    pub(super) counts: Loaded<JobCounts>,
    pub(super) filter: Memo<JobFilter>,
    /// When the rows were put in order.
    pub(super) sorted_at: RwSignal<i64>,
    /// More rows are on their way.
    pub(super) busy: RwSignal<bool>,
    sort: Memo<Option<String>>,
    path: StoredValue<String>,
    live: Live,
    toasts: Toasts,
}

pub(super) fn filter_of(address: Address) -> Memo<JobFilter> {
    let parts = order::PARTS.map(|name| address.query(name));
    Memo::new(move |_| {
        let [q, state, tag, owner, kind, folder] = parts.map(|part| part.get().unwrap_or_default());
        JobFilter { q, state, tag, owner, kind, folder }
    })
}

impl JobRows {
    pub(super) fn load(team: &str, address: Address) -> JobRows {
        let path = StoredValue::new(api::path::team(team, "jobs"));
        let (filter, sort) = (filter_of(address), address.query("sort"));
        let sorted_at = RwSignal::new(now());
        let live = use_live();
        // As many as are shown now, so that asking again loses none.
        let wanted = StoredValue::new(PAGE);
        let page = load(
            || (),
            move |()| {
                let (sort, limit) = (sort.get().unwrap_or_default(), wanted.get_value().to_string());
                let asked =
                    path.with_value(|path| order::query(path, &filter.get(), &[("sort", &sort), ("limit", &limit)]));
                async move {
                    let mut page = api::get::<Page<JobSummary>>(&asked).await?;
                    page.items = page.items.into_iter().map(|job| live.up_to_date(job)).collect();
                    let _ = sorted_at.try_set(now());
                    Ok(page)
                }
            },
        );
        let counts = load(
            || (),
            move |()| {
                let asked = path.with_value(|path| {
                    let any_state = JobFilter { state: String::new(), ..filter.get() };
                    order::query(&format!("{path}/counts"), &any_state, &[])
                });
                async move { api::get::<JobCounts>(&asked).await }
            },
        );
        let rows = JobRows {
            page,
            counts,
            filter,
            sorted_at,
            busy: RwSignal::new(false),
            sort,
            path,
            live,
            toasts: use_toasts(),
        };
        Effect::new(move |_| {
            let loaded = page.with(|page| page.items.len()).unwrap_or(0);
            wanted.set_value(loaded.clamp(PAGE, MOST));
        });
        rows.follow_address(wanted);
        rows.follow_events();
        rows
    }

    /// Another filter or order begins at the first page again; while somebody types, only after a pause.
    fn follow_address(self, wanted: StoredValue<usize>) {
        let asked = StoredValue::new(0_u32);
        Effect::new(move |before: Option<(JobFilter, Option<String>)>| {
            let now = (self.filter.get(), self.sort.get());
            let Some(before) = before.filter(|before| *before != now) else { return now };
            wanted.set_value(PAGE);
            let number = asked.try_update_value(|asked| {
                *asked += 1;
                *asked
            });
            let ask = move || {
                if asked.try_get_value() == number {
                    self.reload();
                }
            };
            if before.0.q == now.0.q {
                ask()
            } else {
                set_timeout(ask, TYPING)
            }
            now
        });
    }

    fn follow_events(self) {
        let reload_soon = once_in_a_while(move || self.reload());
        let count_soon = once_in_a_while(move || self.counts.reload());
        self.live.on(move |event| match event {
            LiveEvent::Job { job, desired, current } => {
                let before = self.page.value().try_with_untracked(|page| {
                    let page = page.as_ref()?;
                    let row = page.items.iter().find(|row| row.id == *job)?;
                    Some(row.current.as_ref().map(|current| current.state))
                });
                let Some(before) = before.flatten() else {
                    // A row that is not shown; its state may count.
                    count_soon();
                    return;
                };
                self.change(*job, |row| {
                    row.desired = *desired;
                    row.current.clone_from(current);
                    if let Some(figures) = current.as_ref().and_then(|current| current.figures.as_ref()) {
                        row.throughput.push(figures.records_in_per_s);
                        if row.throughput.len() > SPARK_POINTS {
                            row.throughput.remove(0);
                        }
                    }
                });
                if before != current.as_ref().map(|current| current.state) {
                    count_soon();
                }
            }
            LiveEvent::JobsChanged { .. } => reload_soon(),
            LiveEvent::Reset => self.reload(),
            _ => {}
        });
    }

    pub(super) fn reload(self) {
        self.page.reload();
        self.counts.reload();
    }

    fn change(self, id: JobId, change: impl FnOnce(&mut JobSummary)) {
        self.page.update(|page| {
            if let Some(row) = page.items.iter_mut().find(|row| row.id == id) {
                change(row);
            }
        });
    }

    /// Takes in a job as a change of it answered.
    pub(super) fn put(self, job: Job) {
        self.change(job.id, |row| {
            row.desired = job.desired;
            row.current = job.current;
        });
    }

    pub(super) fn load_more(self) {
        let Some(Some(cursor)) = self.page.value().with_untracked(|page| page.as_ref().map(|page| page.next.clone()))
        else {
            return;
        };
        let sort = self.sort.get_untracked().unwrap_or_default();
        let limit = PAGE.to_string();
        let filter = self.filter.get_untracked();
        let more = [("sort", sort.as_str()), ("limit", &limit), ("cursor", &cursor)];
        let asked = self.path.with_value(|path| order::query(path, &filter, &more));
        let (live, toasts) = (self.live, self.toasts);
        self.busy.set(true);
        spawn_local(async move {
            let answer: Result<Page<JobSummary>, Failure> = api::get(&asked).await;
            let _ = self.busy.try_set(false);
            // Filter and order may be others by now.
            let order_now = self.sort.try_get_untracked().map(Option::unwrap_or_default);
            if self.filter.try_get_untracked() != Some(filter) || order_now.as_ref() != Some(&sort) {
                return;
            }
            match answer {
                Ok(more) => self.page.update(|page| {
                    let known: HashSet<JobId> = page.items.iter().map(|row| row.id).collect();
                    let new = more.items.into_iter().filter(|row| !known.contains(&row.id));
                    page.items.extend(new.map(|job| live.up_to_date(job)));
                    page.next = more.next;
                    page.total = more.total;
                }),
                Err(failure) => toasts.bad(failure.sentence(), String::new()),
            }
        });
    }
}

/// Does it at most once in the given time, and once more after the last wish.
fn once_in_a_while(act: impl Fn() + Copy + 'static) -> impl Fn() + Copy + 'static {
    let due = StoredValue::new(false);
    move || {
        if due.try_get_value() == Some(false) {
            due.set_value(true);
            set_timeout(
                move || {
                    if due.try_set_value(false).is_none() {
                        act();
                    }
                },
                SOON,
            );
        }
    }
}
