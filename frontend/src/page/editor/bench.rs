//! The place where one draft is worked on: tools, text, settings, and the panels below.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::function::FunctionInfo;
use millrace_wire::job::Job;
use millrace_wire::live::LiveEvent;
use millrace_wire::sql::{Diagnostic, Validation};
use millrace_wire::test_run::TestRun;

use super::builder::FormBuilder;
use super::desk::{Desk, KeepText, Saving};
use super::dialogs::{CreateJob, SaveVersion};
use super::graph_panel::GraphPanel;
use super::history::HistoryPanel;
use super::library::{Beginning, Begins, Library};
use super::open_tabs::OpenTabs;
use super::panes::{Edge, Handle, Pane};
use super::preview::Preview;
use super::preview_panel::{PreviewPanel, PreviewTools};
use super::problems::Problems;
use super::side::Side;
use super::unsaved::UnsavedNote;
use crate::address::{is_focus_lost, use_address};
use crate::clock::use_clock;
use crate::format::age::{age, between};
use crate::format::number::counted;
use crate::i18n::{editor as text, job_actions, testing};
use crate::live::use_live;
use crate::rights::{Right, may, refusal};
use crate::route::{JobTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::icon::Icon;
use crate::ui::segmented::Segmented;
use crate::widget::job_actions::{StartDialog, Target, start_refusal};
use crate::widget::sql_editor::{KnownTable, SqlEditor};
use crate::widget::testing::{
    EditTest, SqlTests, StartTestRunDialog, Subject, TestForm, TestResults, TestRunHistory, TestRunTools, TestRunWatch,
    named_tables,
};

/// Sizes shared by all benches.
#[derive(Clone, Copy)]
pub(super) struct Panes {
    pub(super) side: Pane,
    pub(super) bottom: Pane,
    pub(super) problems: Pane,
}

#[derive(Clone, Copy, PartialEq)]
enum Panel {
    Preview,
    Graph,
    TestResults,
    Tests,
    History,
}

#[component]
pub(super) fn Bench(
    team: String,
    /// None is the scratch.
    job: Option<Job>,
    tabs: OpenTabs,
    panes: Panes,
    #[prop(into)] tables: Signal<Vec<KnownTable>>,
    #[prop(into)] functions: Signal<Vec<FunctionInfo>>,
    /// Text to put at the caret, from the tree.
    #[prop(into)]
    inserted: Signal<Option<(u32, String)>>,
    /// SQL that the address brought along, for the scratch.
    brought: RwSignal<Option<String>>,
    #[prop(into)] active: Signal<bool>,
) -> impl IntoView {
    let editable = may(Right::Edit);
    let desk = Desk::new(&team, job, editable);
    let preview = Preview::new(&team);
    let panel = RwSignal::new(Panel::Preview);
    let starts = RwSignal::new(false);
    let creates = RwSignal::new(false);
    let versions = RwSignal::new(false);
    let begins = Begins::new();

    Effect::new(move |_| {
        desk.job.with(|job| {
            if let Some(job) = job {
                tabs.name(Some(job.id), &job.name, job.draft.differs && job.versions > 0);
            }
        });
    });
    Effect::new(move |before: Option<u32>| {
        let number = inserted.with(|inserted| inserted.as_ref().map(|(number, _)| *number)).unwrap_or(0);
        if active.get_untracked() && before.is_some_and(|before| before != number) {
            inserted.with_untracked(|inserted| {
                if let Some((_, text)) = inserted {
                    desk.sql.insert(text);
                }
            });
        }
        number
    });
    // Who comes to the editor wants to write.
    Effect::new(move |_| {
        if active.get() && desk.sql.is_ready() && is_focus_lost() {
            desk.sql.focus();
        }
    });
    Effect::new(move |_| {
        if desk.id.is_none()
            && let Some(sql) = brought.get()
        {
            brought.set(None);
            desk.bring(&sql);
        }
    });
    use_live().on(move |event| {
        if let LiveEvent::Job { job, desired, current } = event
            && Some(*job) == desk.id
        {
            desk.job.update(|job| {
                if let Some(job) = job {
                    job.desired = *desired;
                    job.current.clone_from(current);
                }
            });
        }
    });

    let run = Callback::new(move |()| {
        panel.set(Panel::Preview);
        let sql = desk.sql.current();
        let (from, to) = desk.sql.selection().get_untracked();
        let chosen = usize::try_from(from).ok().zip(usize::try_from(to).ok()).and_then(|(from, to)| sql.get(from..to));
        match chosen.filter(|chosen| !chosen.trim().is_empty()) {
            Some(chosen) => preview.start(chosen.to_owned(), None),
            None => preview.start(sql, Some(to)),
        }
    });
    let save = Callback::new(move |()| {
        if desk.id.is_some() {
            desk.save_now()
        } else if editable.get_untracked() {
            creates.set(true)
        }
    });
    let format = Callback::new(move |()| desk.format());
    let label = Signal::derive(move || {
        text::sql_of(
            desk.job.with(|job| job.as_ref().map_or_else(|| text::scratch().to_owned(), |job| job.name.clone())),
        )
    });
    let address = use_address();
    let started_team = StoredValue::new(team.clone());
    let started = Callback::new(move |job: Job| {
        desk.toasts.good(job_actions::started(&job.name));
        let id = job.id;
        desk.job.set(Some(job));
        address.go(&TeamRoute::Job(id, JobTab::Overview).of(&started_team.get_value()));
    });
    let target = Signal::derive(move || desk.job.with(|job| job.as_ref().map(Target::of)));
    let mut sides = vec![
        (Panel::Preview, text::rows().to_owned()),
        (Panel::Graph, text::graph().to_owned()),
        (Panel::TestResults, testing::test_results().to_owned()),
        (Panel::History, text::history().to_owned()),
    ];
    // Tests are kept with a job.
    if desk.id.is_some() {
        sides.insert(3, (Panel::Tests, testing::tests().to_owned()));
    }
    let named = move |read: fn(&Validation) -> &Vec<String>| {
        Signal::derive(move || {
            desk.validation.with(|found| found.as_ref().map(|found| read(found).clone())).unwrap_or_default()
        })
    };
    let text_now = desk.sql.text();
    let (reads, writes) = (named(|found| &found.reads), named(|found| &found.writes));
    let subject = Subject {
        team: desk.team,
        job: desk.id,
        sql: Signal::derive(move || Some(text_now.get())),
        version: Signal::derive(|| None),
        reads,
        writes,
        tables: named_tables(desk.team, reads, writes),
    };
    let watch = TestRunWatch::new(&team);
    let form = TestForm::empty();
    let (test_starts, test_edits, test_saved) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(0_u32));
    let show_results = Callback::new(move |()| panel.set(Panel::TestResults));
    let make_test = desk.id.map(|_| {
        Callback::new(move |run: TestRun| {
            form.of_test_run(&run);
            test_edits.set(true);
        })
    });
    let show_rows = Callback::new(move |()| panel.set(Panel::Preview));
    let problem_count =
        move || desk.validation.with(|validation| validation.as_ref().map_or(0, |found| found.diagnostics.len()));
    let read_only = !editable.get_untracked();

    view! {
        <section class="ide-editor" aria-label=move || label.get()>
            <Tools desk preview run format begins starts creates versions/>
            <ConflictNote desk/>
            <UnsavedNote desk/>
            <Beginning desk begins/>
            <SqlEditor handle=desk.sql team=team.clone() label=label.get_untracked() read_only findings=desk.findings() tables functions
                on_run=run on_save=save on_format=format/>
        </section>
        <aside class="pane pane-chrome ide-settings" aria-label=text::settings()>
            <Handle pane=panes.side edge=Edge::Left label=text::resize_settings()/>
            <Side desk/>
        </aside>
        <section class="ide-bottom" aria-label=text::panels()>
            <Handle pane=panes.bottom edge=Edge::Top label=text::resize_bottom()/>
            <div class="ide-problems">
                <div class="ide-panel-head"><h2>{text::problems()}</h2>
                    <span class="tabs-count" class:tabs-count-bad=move || !desk.errors().is_empty()>{problem_count}</span>
                </div>
                <div class="pane grow" tabindex="0" role="region" aria-label=text::problems()><Problems desk/></div>
                <Handle pane=panes.problems edge=Edge::Right label=text::resize_problems()/>
            </div>
            <div class="ide-preview">
                <div class="ide-panel-head">
                    <Segmented label=text::panel() options=sides value=panel on_choose=move |choice| panel.set(choice)/>
                    <span class="grow"></span>
                    {move || (panel.get() == Panel::Preview).then(|| view! { <PreviewTools preview/> })}
                    {move || (panel.get() == Panel::TestResults).then(|| view! { <TestRunTools watch starts=test_starts on_make_test=make_test/> })}
                </div>
                <div class="ide-panel" class:is-hidden=move || panel.get() != Panel::Preview><PreviewPanel preview/></div>
                {move || (panel.get() == Panel::Graph).then(|| view! { <GraphPanel desk/> })}
                {move || (panel.get() == Panel::TestResults).then(|| view! {
                    <div class="pane grow" tabindex="0" role="region" aria-label=testing::test_results()>
                        <TestResults subject watch/>
                        <TestRunHistory subject watch on_show=show_results/>
                    </div>
                })}
                {move || (panel.get() == Panel::Tests).then(|| view! {
                    <div class="pane grow" tabindex="0" role="region" aria-label=testing::tests()>
                        <SqlTests subject form edits=test_edits saved=test_saved/>
                    </div>
                })}
                {move || (panel.get() == Panel::History).then(|| view! { <HistoryPanel desk preview on_open=show_rows/> })}
            </div>
        </section>
        <StartDialog team=team.clone() open=starts target on_started=started/>
        <StartTestRunDialog open=test_starts subject watch on_started=show_results/>
        <EditTest open=test_edits subject form on_saved=move |()| test_saved.update(|saved| *saved += 1)/>
        <FormBuilder desk open=begins.form brought/>
        <CreateJob desk open=creates/>
        <SaveVersion desk open=versions/>
    }
    .into_any()
}

#[component]
fn Tools(
    desk: Desk,
    preview: Preview,
    run: Callback<()>,
    format: Callback<()>,
    begins: Begins,
    starts: RwSignal<bool>,
    creates: RwSignal<bool>,
    versions: RwSignal<bool>,
) -> impl IntoView {
    let may_edit = refusal(Right::Edit);
    let may_start = refusal(Right::Operate);
    let empty = Memo::new(move |_| desk.sql.text().with(|text| text.trim().is_empty()));
    let no_text = move || empty.get().then(|| text::write_first().to_owned());
    let cannot_preview = Signal::derive(move || may_edit.get().or_else(no_text));
    let wrong = Memo::new(move |_| first_error(&desk.errors()));
    let no_sink = move || {
        let writes =
            desk.validation.with(|validation| validation.as_ref().is_some_and(|found| !found.writes.is_empty()));
        (!writes).then(|| text::no_sink().to_owned())
    };
    let state =
        move || desk.job.with(|job| job.as_ref().and_then(|job| job.current.as_ref().map(|current| current.state)));
    let cannot_start = Signal::derive(move || {
        may_start
            .get()
            .or_else(no_text)
            .or_else(|| start_refusal(state()).map(str::to_owned))
            .or_else(|| wrong.get())
            .or_else(no_sink)
    });
    let cannot_version =
        Signal::derive(move || may_edit.get().or_else(no_text).or_else(|| wrong.get()).or_else(no_sink));
    let cannot_create = Signal::derive(move || may_edit.get().or_else(no_text));
    // What is started is what was saved, so the draft is saved first.
    let start = Callback::new(move |()| {
        spawn_local(async move {
            if desk.save().await {
                let _ = starts.try_set(true);
            }
        });
    });
    let starting = Signal::derive(move || preview.phase.get() == super::preview::Phase::Starting);
    view! {
        <div class="ide-tools" role="toolbar" aria-label=text::draft_actions()>
            <Button kind=Kind::Primary small=true icon=Icon::Play reason=cannot_preview busy=starting title=text::preview_tip().to_owned() on_press=run>{text::preview()}</Button>
            <Button kind=Kind::Quiet small=true icon=Icon::Format reason=cannot_create title=text::format_tip().to_owned() on_press=format>{text::format_sql()}</Button>
            <Library desk begins/>
            <span class="grow"></span>
            <SaveState desk/>
            {if desk.id.is_some() {
                view! {
                    <Button kind=Kind::Quiet small=true icon=Icon::Save reason=cannot_version on_press=move |()| versions.set(true)>{text::save_version()}</Button>
                    <Button small=true icon=Icon::Deploy reason=cannot_start on_press=start>{job_actions::start_dialog()}</Button>
                }.into_any()
            } else {
                view! { <Button small=true icon=Icon::Save reason=cannot_create on_press=move |()| creates.set(true)>{text::create_dialog()}</Button> }.into_any()
            }}
        </div>
    }
    .into_any()
}

fn first_error(errors: &[Diagnostic]) -> Option<String> {
    let first = errors.first()?;
    let count = counted(errors.len() as u64, text::error(), text::errors());
    Some(match &first.span {
        Some(span) => text::fix_first_at(count, span.line),
        None => text::fix_first(count),
    })
}

#[component]
fn SaveState(desk: Desk) -> impl IntoView {
    let clock = use_clock();
    view! {
        <span class="subtle small nowrap" role="status">{move || match desk.saving.get() {
            Saving::Saved(_) if desk.id.is_none() => text::kept_here().to_owned(),
            Saving::Saved(at) => text::saved(age(between(at, clock.get()))),
            Saving::Changed => text::changed().to_owned(),
            Saving::Busy => text::saving().to_owned(),
            Saving::Conflict => text::not_saved().to_owned(),
            Saving::Failed(failure) => text::save_failed(failure.error.message),
        }}</span>
    }
    .into_any()
}

/// Somebody else saved meanwhile: their text or this one, but never both by accident.
#[component]
fn ConflictNote(desk: Desk) -> impl IntoView {
    let load = Callback::new(move |()| spawn_local(async move { desk.fetch(KeepText::No).await }));
    let overwrite = Callback::new(move |()| {
        spawn_local(async move {
            desk.fetch(KeepText::Yes).await;
            desk.save().await;
        });
    });
    view! {
        {move || (desk.saving.get() == Saving::Conflict).then(|| view! {
            <div class="callout callout-warn ide-conflict" role="alert">
                {Icon::Warn.view()}
                <strong>{text::conflict()}</strong>
                <p>{text::conflict_body()}</p>
                <div class="callout-actions">
                    <Button small=true on_press=load>{text::load_theirs()}</Button>
                    <Button small=true on_press=overwrite>{text::overwrite()}</Button>
                </div>
            </div>
        })}
    }
    .into_any()
}
