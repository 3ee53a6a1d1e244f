//! The team's jobs in their folders: a press opens a job's SQL, F2 moves the job or renames the folder.

use std::collections::BTreeSet;

use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::{ev, html, web_sys};
use millrace_wire::ids::JobId;
use millrace_wire::job::JobSummary;
use millrace_wire::live::LiveEvent;
use wasm_bindgen::JsCast;

use super::job_folder::{MoveDialog, Moving};
use super::job_nodes::{Node, Placed, What, folders, nodes, with_parents};
use crate::address::{Address, use_address};
use crate::api;
use crate::format::number;
use crate::i18n::folders as text;
use crate::live::use_live;
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::ui::cut::Cut;
use crate::ui::icon::Icon;

/// Drafts are saved while somebody types: the list is asked for again once that rests.
const REST_MS: u32 = 700;

#[derive(Clone, Copy)]
struct Tree {
    team: StoredValue<String>,
    rows: Memo<Vec<Node>>,
    opened: RwSignal<BTreeSet<String>>,
    /// The key of the row that takes the focus.
    active: RwSignal<Option<String>>,
    moving: RwSignal<Option<Moving>>,
    may_edit: Signal<bool>,
    job: Signal<Option<JobId>>,
    address: Address,
}

impl Tree {
    fn toggle(&self, path: &str) {
        self.opened.update(|opened| {
            if !opened.remove(path) {
                opened.insert(path.to_owned());
            }
        });
    }

    fn press(&self, node: &Node) {
        self.active.set(Some(node.key.clone()));
        match &node.what {
            What::Folder { path, .. } => self.toggle(path),
            What::Job(job) => self.address.go(&TeamRoute::Editor(Some(job.id)).of(&self.team.get_value())),
        }
    }

    fn change(&self, node: &Node) {
        if self.may_edit.get_untracked() {
            self.active.set(Some(node.key.clone()));
            self.moving.set(Some(match &node.what {
                What::Folder { path, .. } => Moving::Folder(path.clone()),
                What::Job(job) => Moving::Job(job.clone()),
            }));
        }
    }
}

#[component]
pub(super) fn JobTree(team: String, job: Signal<Option<JobId>>) -> impl IntoView {
    let team = StoredValue::new(team);
    let unseen = RwSignal::new(0_u64);
    let jobs = jobs(team, unseen);
    let opened = RwSignal::new(BTreeSet::<String>::new());
    let list = Memo::new(move |_| jobs.get().unwrap_or_default());
    // The job that is open is seen, wherever it lies.
    Effect::new(move |_| {
        let open = job.get();
        let folder = list.with(|list| list.iter().find(|one| Some(one.id) == open).map(|one| one.folder.clone()));
        if let Some(folder) = folder {
            opened.update(|opened| opened.extend(with_parents(&folder)));
        }
    });
    let refused = refusal(Right::Edit);
    let tree = Tree {
        team,
        rows: Memo::new(move |_| list.with(|list| opened.with(|opened| nodes(list, opened)))),
        opened,
        active: RwSignal::new(None),
        moving: RwSignal::new(None),
        may_edit: Signal::derive(move || refused.with(Option::is_none)),
        job,
        address: use_address(),
    };
    let known = Memo::new(move |_| list.with(|list| folders(list)));
    let on_moved = Callback::new(move |folder: String| {
        let _ = opened.try_update(|opened| opened.extend(with_parents(&folder)));
    });
    let node = NodeRef::<html::Ul>::new();
    let none = move || jobs.with(|jobs| jobs.as_ref().is_some_and(Vec::is_empty));
    view! {
        <h2 class="ide-jobs-head">{text::jobs()}</h2>
        <ul class="tree" role="tree" aria-label=text::jobs() node_ref=node on:keydown=move |event| key(tree, node, &event)>
            <For each=move || tree.rows.get() key=|row| row.key.clone() let(row)>{drawn(tree, row)}</For>
        </ul>
        {move || none().then(|| view! { <p class="subtle tree-empty">{text::no_jobs()}</p> })}
        {move || Some(unseen.get()).filter(|unseen| *unseen > 0).map(|unseen| view! {
            <p class="subtle tree-empty">{text::unseen(number::grouped(unseen))}</p>
        })}
        <MoveDialog team moving=tree.moving folders=known on_moved/>
    }
    .into_any()
}

/// All that one sees, asked for again when one of them changes; what cannot be had now stays as it was.
fn jobs(team: StoredValue<String>, unseen: RwSignal<u64>) -> RwSignal<Option<Vec<Placed>>> {
    let jobs = RwSignal::new(None::<Vec<Placed>>);
    let again = RwSignal::new(0_u32);
    let asked = StoredValue::new(0_u32);
    use_live().on(move |event| {
        if matches!(event, LiveEvent::JobsChanged { .. } | LiveEvent::Reset) {
            let _ = again.try_update(|count| *count = count.wrapping_add(1));
        }
    });
    Effect::new(move |before: Option<()>| {
        again.track();
        let number = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        let rest = if before.is_some() { REST_MS } else { 0 };
        let path = team.with_value(|team| api::path::team(team, "jobs?sort=name"));
        spawn_local(async move {
            gloo_timers::future::TimeoutFuture::new(rest).await;
            if number.is_none() || asked.try_get_value() != number {
                return;
            }
            let answer = api::pages::all::<JobSummary>(&path).await;
            if let (Ok(page), true) = (answer, asked.try_get_value() == number) {
                let _ = unseen.try_set(page.total.saturating_sub(page.items.len() as u64));
                let _ = jobs.try_set(Some(page.items.into_iter().map(Placed::of).collect()));
            }
        });
    });
    jobs
}

fn key(tree: Tree, list: NodeRef<html::Ul>, event: &ev::KeyboardEvent) {
    let rows = tree.rows.get_untracked();
    let at = tree.active.with_untracked(|active| rows.iter().position(|row| Some(&row.key) == active.as_ref()));
    let at = at.unwrap_or(0);
    let Some(row) = rows.get(at) else { return };
    let folder = match &row.what {
        What::Folder { path, open, .. } => Some((path.clone(), *open)),
        What::Job(_) => None,
    };
    let next = match (event.key().as_str(), folder) {
        ("ArrowDown", _) => Some(at + 1),
        ("ArrowUp", _) => at.checked_sub(1),
        ("Home", _) => Some(0),
        ("End", _) => rows.len().checked_sub(1),
        ("ArrowRight", Some((_, true))) => Some(at + 1),
        ("ArrowRight", Some((path, false))) | ("ArrowLeft", Some((path, true))) => {
            tree.toggle(&path);
            None
        }
        ("ArrowLeft", _) => rows.iter().take(at).rposition(|other| other.level < row.level),
        ("Enter" | " ", _) => {
            tree.press(row);
            None
        }
        ("F2", _) => {
            tree.change(row);
            None
        }
        _ => return,
    };
    event.prevent_default();
    if let Some((index, target)) = next.and_then(|next| rows.get(next).map(|row| (next, row))) {
        tree.active.set(Some(target.key.clone()));
        let item = list.get_untracked().and_then(|list| list.children().item(u32::try_from(index).unwrap_or(0)));
        if let Some(item) = item.and_then(|item| item.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = item.focus();
        }
    }
}

fn drawn(tree: Tree, row: Node) -> AnyView {
    let own = StoredValue::new(row.key.clone());
    // What a row says may change while it stays: a folder opens, a job is renamed.
    let first = row.clone();
    let node = Memo::new(move |_| {
        let found = tree.rows.with(|rows| rows.iter().find(|row| own.with_value(|own| row.key == *own)).cloned());
        found.unwrap_or_else(|| first.clone())
    });
    let focusable = move || {
        let active = tree.active.get();
        tree.rows.with(|rows| {
            let there = rows.iter().any(|row| Some(&row.key) == active.as_ref());
            let key = if there { active.as_ref() } else { rows.first().map(|row| &row.key) };
            own.with_value(|own| key == Some(own))
        })
    };
    let open = move || match node.get().what {
        What::Folder { open, .. } => Some(open),
        What::Job(_) => None,
    };
    let is_current = move || node.with(|node| matches!(&node.what, What::Job(job) if tree.job.get() == Some(job.id)));
    let tip = move || {
        node.with(|node| match &node.what {
            What::Folder { path, .. } => text::folder_tip(path),
            What::Job(job) => text::opens(&job.name),
        })
    };
    let (icon, tool) = match &row.what {
        What::Folder { .. } => (Icon::Lake, text::rename_tip()),
        What::Job(_) => (Icon::Jobs, text::move_tip()),
    };
    let count = move || match node.get().what {
        What::Folder { jobs, .. } => number::grouped(jobs as u64),
        What::Job(_) => String::new(),
    };
    let name = move || node.with(|node| node.name.clone());
    let change = move |event: ev::MouseEvent| {
        event.stop_propagation();
        tree.change(&node.get_untracked());
    };
    view! {
        <li role="treeitem" {..custom_attribute("aria-level", move || node.with(|node| node.level.to_string()))}
            aria-expanded=move || open().map(|open| open.to_string())
            aria-selected=move || is_current().to_string() tabindex=move || if focusable() { "0" } else { "-1" }
            class=move || format!("tree-row tree-level-{}", node.with(|node| node.level))
            style=move || format!("--tree-level:{}", node.with(|node| node.level)) title=tip
            on:click=move |_| tree.press(&node.get_untracked())>
            {move || open().map(|open| view! {
                <span class="tree-chevron">{if open { Icon::Down } else { Icon::Right }.small()}</span>
            })}
            {icon.small()}
            {move || view! { <Cut text=name()/> }}
            <span class="tree-end">{count}</span>
            {move || tree.may_edit.get().then(|| view! {
                <button type="button" class="icon-button icon-button-small tree-tool" tabindex="-1" aria-hidden="true" title=tool
                    on:click=change>{Icon::More.small()}</button>
            })}
        </li>
    }
    .into_any()
}
