//! The SQL tests of a job: a list with the newest results, what a run of them finds, and the gate.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::JobTestId;
use millrace_wire::job_test::{JobTest, JobTests, RunTests, SetTestGate, TestGate, TestReport};

use super::form::TestForm;
use super::{Subject, diff};
use crate::api::{self, Failure};
use crate::i18n::testing as text;
use crate::load::{Loaded, load};
use crate::rights::{Right, may, refusal};
use crate::ui::age::Ago;
use crate::ui::button::{Button, IconButton};
use crate::ui::confirm::Confirm;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[derive(Clone, Copy)]
struct List {
    subject: Subject,
    tests: Loaded<JobTests>,
    report: RwSignal<Option<TestReport>>,
    failure: RwSignal<Option<Failure>>,
    busy: RwSignal<bool>,
    form: TestForm,
    /// The dialog of the form.
    edits: RwSignal<bool>,
    deletes: RwSignal<Option<JobTest>>,
    asks: RwSignal<bool>,
}

impl List {
    /// Empty: all of them.
    fn run(self, tests: Vec<JobTestId>) {
        let Some(path) = self.subject.tests_path("/run") else { return };
        let (sql, version) = (self.subject.sql.get_untracked(), self.subject.version.get_untracked());
        self.busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let body = RunTests { sql, version, tests, draft: None };
            let answer = api::post::<TestReport>(&path, &body).await;
            let _ = self.busy.try_set(false);
            match answer {
                Ok(report) => drop(self.report.try_set(Some(report))),
                Err(reason) => drop(self.failure.try_set(Some(reason))),
            }
            self.tests.reload();
        });
    }
}

#[component]
pub fn SqlTests(
    subject: Subject,
    form: TestForm,
    /// Opens the dialog of the form.
    edits: RwSignal<bool>,
    /// Goes up when a test was saved.
    #[prop(into)]
    saved: Signal<u32>,
) -> impl IntoView {
    let tests = load(
        || (),
        move |()| {
            let path = subject.tests_path("");
            async move {
                match path {
                    Some(path) => api::get::<JobTests>(&path).await,
                    None => Ok(JobTests { tests: Vec::new(), gate: TestGate { job: false, team: false } }),
                }
            }
        },
    );
    Effect::new(move |before: Option<()>| {
        saved.track();
        if before.is_some() {
            tests.reload();
        }
    });
    let list = List {
        subject,
        tests,
        report: RwSignal::new(None),
        failure: RwSignal::new(None),
        busy: RwSignal::new(false),
        form,
        edits,
        deletes: RwSignal::new(None),
        asks: RwSignal::new(false),
    };
    let may_edit = refusal(Right::Edit);
    let none = Memo::new(move |_| tests.with(|found| found.tests.is_empty()).unwrap_or(true));
    let cannot_run = Signal::derive(move || may_edit.get().or_else(|| none.get().then(|| text::no_tests().to_owned())));
    let create = move |()| {
        form.begin(subject);
        edits.set(true);
    };
    let end = move || {
        view! {
            <Button small=true icon=Icon::Play reason=cannot_run busy=list.busy on_press=move |()| list.run(Vec::new())>{text::run_all()}</Button>
            <Button small=true icon=Icon::Plus reason=may_edit on_press=create>{text::new_test()}</Button>
        }
        .into_any()
    };
    view! {
        <Panel title=text::sql_tests().to_owned() end=end>
            {tests.show(Shape::Rows(3), move |found| view! {
                {move || if none.get() {
                    view! { <EmptyState title=text::no_tests() body=text::no_tests_body()/> }.into_any()
                } else {
                    let heads = vec![
                        Head::text(text::name()),
                        Head::text(text::last_result()),
                        Head::number(text::time()),
                        Head::text(text::run_test()).silent().fit(),
                    ];
                    view! {
                        <Table label=text::sql_tests() heads>
                            <For each=move || found.get().tests key=|test| test.id let:test><Row found test list/></For>
                        </Table>
                    }.into_any()
                }}
                <Gate subject gate=Signal::derive(move || found.with(|found| found.gate.clone())) tests/>
            }.into_any())}
            {move || list.failure.get().map(|failure| view! { <FailureNote failure/> })}
            <div role="status">{move || list.report.with(|report| report.as_ref().map(|report| view! {
                <p>{text::summary(report.passed, report.failed)}</p>
                {report.results.iter().filter(|result| !result.passed).map(diff::result).collect_view()}
            }))}</div>
        </Panel>
        <Delete list/>
    }
    .into_any()
}

/// Keeps its place and its buttons while it is run, renamed and run again.
#[component]
fn Row(found: Signal<JobTests>, test: JobTest, list: List) -> impl IntoView {
    let may_edit = refusal(Right::Edit);
    let id = test.id;
    let test = Memo::new(move |before: Option<&JobTest>| {
        let now = found.with(|found| found.tests.iter().find(|known| known.id == id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| test.clone())
    });
    let name = move || test.with(|test| test.draft.name.clone());
    let result = move || match test.with(|test| test.last.clone()) {
        Some(last) => {
            let version = last.version.map(text::of_version);
            view! { {diff::verdict(last.passed)}" "<span class="muted">{version}" "<Ago at=last.at/></span> }.into_any()
        }
        None => view! { <span class="muted">{text::not_run()}</span> }.into_any(),
    };
    let time = move || test.with(|test| test.last.as_ref().map(|last| text::milliseconds(last.ms)));
    let edit = move |()| {
        test.with_untracked(|test| list.form.of_test(test));
        list.edits.set(true);
    };
    let delete = move |()| {
        list.deletes.set(Some(test.get_untracked()));
        list.asks.set(true);
    };
    let (run_label, edit_label, delete_label) = (
        Signal::derive(move || text::run_named(name())),
        Signal::derive(move || text::edit_named(name())),
        Signal::derive(move || text::delete_named(name())),
    );
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td>{result}</td>
            <td class="num muted">{time}</td>
            <td class="cell-fit"><span class="row">
                <IconButton small=true icon=Icon::Play label=run_label reason=may_edit on_press=move |()| list.run(vec![id])/>
                <IconButton small=true icon=Icon::Format label=edit_label reason=may_edit on_press=edit/>
                <IconButton small=true icon=Icon::Trash label=delete_label reason=may_edit on_press=delete/>
            </span></td>
        </tr>
    }
    .into_any()
}

#[component]
fn Gate(subject: Subject, gate: Signal<TestGate>, tests: Loaded<JobTests>) -> impl IntoView {
    let failure = RwSignal::new(None::<Failure>);
    let change = move |path: String, must_pass: bool| {
        spawn_local(async move {
            let answer = api::put::<TestGate>(&path, &SetTestGate { must_pass }).await;
            let _ = failure.try_set(answer.err());
            tests.reload();
        });
    };
    let of_job = move |must_pass: bool| {
        if let Some(job) = subject.job {
            change(subject.path(&format!("jobs/{job}/tests-gate")), must_pass);
        }
    };
    let of_team = move |must_pass: bool| change(subject.path("tests-gate"), must_pass);
    view! {
        <div class="test-gates">
        {gate_switch(text::gate(), Signal::derive(move || gate.with(|gate| gate.job)), Right::Operate, of_job)}
        {gate_switch(text::gate_team(), Signal::derive(move || gate.with(|gate| gate.team)), Right::Own, of_team)}
        </div>
        {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
    }
    .into_any()
}

fn gate_switch(label: &'static str, on: Signal<bool>, right: Right, change: impl Fn(bool) + 'static) -> AnyView {
    let may = may(right);
    let reason = refusal(right);
    view! {
        <label class="check" title=move || reason.get()>
            <input type="checkbox" role="switch" class="switch" prop:checked=move || on.get() disabled=move || !may.get()
                on:change=move |event| change(event_target_checked(&event))/>
            {label}
        </label>
    }
    .into_any()
}

#[component]
fn Delete(list: List) -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    let title = Signal::derive(move || {
        list.deletes.with(|test| test.as_ref().map(|test| text::delete_title(&test.draft.name))).unwrap_or_default()
    });
    let confirm = Callback::new(move |()| {
        let id = list.deletes.with_untracked(|test| test.as_ref().map(|test| test.id));
        let Some(path) = id.and_then(|id| list.subject.tests_path(&format!("/{id}"))) else { return };
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = api::delete(&path).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(()) => drop(list.asks.try_set(false)),
                Err(failure) => drop(error.try_set(Some(failure.sentence()))),
            }
            list.tests.reload();
        });
    });
    view! {
        <Confirm open=list.asks title consequences=Signal::derive(|| vec![text::delete_body().to_owned()])
            action=text::delete() busy error on_confirm=confirm/>
    }
    .into_any()
}
