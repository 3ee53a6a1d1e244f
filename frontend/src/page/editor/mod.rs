//! The editor: tables on the left, the open drafts in the middle, what is wrong and what comes out below.

mod backup;
mod bench;
mod brought;
mod builder;
mod catalog;
mod desk;
mod dialogs;
mod graph_panel;
mod history;
mod history_compare;
mod job_folder;
mod job_nodes;
mod job_tree;
mod library;
mod names;
mod open_tabs;
mod panes;
mod parameters;
mod preview;
mod preview_panel;
mod problems;
mod side;
mod snippets;
mod templates;
mod tree;
mod unsaved;

use leptos::ev;
use leptos::prelude::*;
use millrace_wire::function::FunctionInfo;
use millrace_wire::ids::JobId;
use millrace_wire::job::Job;
use millrace_wire::page::Page;
use millrace_wire::user_function::UserFunctionSummary;

use crate::address::use_address;
use crate::api;
use crate::i18n::{editor as text, folders, words};
use crate::load::load;
use crate::route::TeamRoute;
use crate::ui::button::IconButton;
use crate::ui::icon::Icon;
use crate::ui::skeleton::Shape;
use crate::widget::own_functions::own_functions;
use crate::widget::sql_editor::KnownTable;
use bench::{Bench, Panes};
use catalog::Catalog;
use job_tree::JobTree;
use open_tabs::{OpenTab, OpenTabs, TabKey};
use panes::{Edge, Handle, Pane};
use tree::Tree;

#[component]
pub fn EditorPage(
    team: String,
    /// None is the scratch.
    #[prop(into)]
    job: Signal<Option<JobId>>,
) -> impl IntoView {
    let tabs = OpenTabs::of_team(&team, text::scratch());
    let tree_pane = Pane::new("millrace.editor.tree", 160.0, 240.0, 480.0);
    let panes = Panes {
        side: Pane::new("millrace.editor.side", 200.0, 244.0, 420.0),
        bottom: Pane::new("millrace.editor.bottom", 120.0, 272.0, 640.0),
        problems: Pane::new("millrace.editor.problems", 180.0, 264.0, 560.0),
    };
    let catalog = Catalog::of_team(&team);
    let known = catalog.known();
    let functions = functions(&team);
    let full = full_screen();
    let address = use_address();
    let asked = address.query("sql");
    let brought = RwSignal::new(None::<String>);
    // Taken in once: the address is the scratch's again, so that loading the page anew does not add the SQL anew.
    Effect::new(move |_| {
        if let Some(sql) = asked.get().filter(|_| job.get_untracked().is_none()) {
            brought.set(Some(sql));
            address.set_query("sql", None);
        }
    });
    let inserted = RwSignal::new(None::<(u32, String)>);
    let insert = Callback::new(move |text: String| {
        inserted.update(|inserted| {
            let number = inserted.as_ref().map_or(1, |(number, _)| number + 1);
            *inserted = Some((number, text));
        });
    });
    // Drafts that were looked at stay on the desk with their undo history; others are loaded when they are chosen.
    let benches = RwSignal::new(Vec::<TabKey>::new());
    Effect::new(move |_| {
        let key = job.get();
        if benches.with_untracked(|benches| !benches.contains(&key)) {
            benches.update(|benches| benches.push(key));
        }
    });
    let title = Memo::new(move |_| {
        let key = job.get();
        tabs.list.with(|list| list.iter().find(|tab| tab.key == key).map(|tab| tab.name.clone())).unwrap_or_default()
    });
    Effect::new(move |_| document().set_title(&words::title(text::title(title.get()))));
    let style = move || {
        format!(
            "--ide-tree:{}px;--ide-side:{}px;--ide-bottom:{}px;--ide-problems:{}px",
            tree_pane.size.get(),
            panes.side.size.get(),
            panes.bottom.size.get(),
            panes.problems.size.get()
        )
    };
    let bench_team = StoredValue::new(team.clone());
    view! {
        <h1 class="visually-hidden">{move || text::title(title.get())}</h1>
        <div class="ide" class:ide-full=move || full.get() style=style>
            <div class="pane pane-chrome ide-tree">
                <section class="ide-tree-part" aria-label=text::tables()><Tree catalog on_insert=insert/></section>
                <section class="ide-tree-part ide-jobs" aria-label=folders::jobs()><JobTree team=team.clone() job/></section>
                <Handle pane=tree_pane edge=Edge::Right label=text::resize_tree()/>
            </div>
            <TabStrip team=team.clone() tabs job full close=Callback::new(move |key| benches.update(|benches| benches.retain(|open| *open != key)))/>
            <For each=move || benches.get() key=|key| *key let(key)>
                <div class="ide-bench" class:is-hidden=move || job.get() != key>
                    <LoadedBench team=bench_team.get_value() id=key tabs panes tables=known functions inserted brought
                        active=Signal::derive(move || job.get() == key)/>
                </div>
            </For>
        </div>
    }
    .into_any()
}

/// The built-in functions and those of the team.
fn functions(team: &str) -> Memo<Vec<FunctionInfo>> {
    let built_in = load(|| (), |()| async { api::get::<Page<FunctionInfo>>("/functions").await });
    let own = own_functions(team);
    Memo::new(move |_| {
        let mut all = built_in.with(|page| page.items.clone()).unwrap_or_default();
        let info = |function: &UserFunctionSummary| FunctionInfo {
            name: function.name.clone(),
            kind: function.kind,
            signature: function.signature.clone(),
            summary: function.remark.clone(),
            category: String::new(),
        };
        all.extend(own.with(|own| own.iter().map(info).collect::<Vec<_>>()).unwrap_or_default());
        all
    })
}

#[component]
fn LoadedBench(
    team: String,
    id: TabKey,
    tabs: OpenTabs,
    panes: Panes,
    tables: Memo<Vec<KnownTable>>,
    functions: Memo<Vec<FunctionInfo>>,
    inserted: RwSignal<Option<(u32, String)>>,
    brought: RwSignal<Option<String>>,
    active: Signal<bool>,
) -> impl IntoView {
    let Some(id) = id else {
        return view! { <Bench team job=None tabs panes tables functions inserted brought active/> }.into_any();
    };
    let path = api::path::team(&team, &format!("jobs/{id}"));
    let job = load(
        || (),
        move |()| {
            let path = path.clone();
            async move { api::get::<Job>(&path).await }
        },
    );
    let shown = job.show(Shape::Lines(8), move |job| {
        let job = job.get_untracked();
        view! { <Bench team=team.clone() job=Some(job) tabs panes tables functions inserted brought active/> }
            .into_any()
    });
    view! { {shown} }.into_any()
}

#[component]
fn TabStrip(
    team: String,
    tabs: OpenTabs,
    job: Signal<Option<JobId>>,
    full: RwSignal<bool>,
    close: Callback<TabKey>,
) -> impl IntoView {
    let address = use_address();
    let team = StoredValue::new(team);
    let href = move |key: TabKey| TeamRoute::Editor(key).of(&team.get_value()).href();
    let shut = move |key: TabKey| {
        let next = tabs.close(key);
        close.run(key);
        if job.get_untracked() == key {
            address.go_to(&href(next));
        }
    };
    view! {
        <nav class="ide-tabs" aria-label=text::open_drafts()>
            <For each=move || tabs.list.get() key=|tab| (tab.key, tab.name.clone(), tab.differs) let(tab)>
                {
                    let OpenTab { key, name, differs } = tab;
                    let closes = text::close_tab(&name);
                    view! {
                        <span class="ide-tab" data-current=move || (job.get() == key).then_some("")>
                            <a href=href(key) aria-current=move || (job.get() == key).then_some("page")>
                                {name}
                                {differs.then(|| view! { <i class="dirty" title=text::differs_tip()></i><span class="visually-hidden">{text::differs_tip()}</span> })}
                            </a>
                            {key.is_some().then(|| view! { <IconButton small=true icon=Icon::Close label=closes on_press=move |()| shut(key)/> })}
                        </span>
                    }
                }
            </For>
            <span class="ide-tabs-end">
                <IconButton small=true icon=Icon::Expand pressed=Signal::derive(move || Some(full.get())) label=text::full_screen().to_owned()
                    on_press=move |()| full.update(|full| *full = !*full)/>
            </span>
        </nav>
    }
    .into_any()
}

/// Whether the editor covers the whole window; a key switches it from anywhere in the editor.
fn full_screen() -> RwSignal<bool> {
    let full = RwSignal::new(false);
    let handle = window_event_listener(ev::keydown, move |event| {
        let is_key = event.key() == "Enter" && event.alt_key() && event.shift_key();
        let has_dialog = document().query_selector("dialog[open]").ok().flatten().is_some();
        if is_key && !has_dialog {
            event.prevent_default();
            full.update(|full| *full = !*full);
        }
    });
    on_cleanup(move || handle.remove());
    full
}
