//! The dialog that a test is written in, run and saved.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job_test::{JobTest, RowOrder, RunTests, TestReport, TestResult};
use millrace_wire::table::{Sample, Table};
use millrace_wire::test_run::{ResultView, SuppliedRow};
use serde_json::Value;

use super::form::{ExpectedForm, InputForm, TestForm, names};
use super::tables::find;
use super::{Subject, diff, lines};
use crate::api::{self, Failure};
use crate::i18n::{testing as text, words};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::select_field::SelectField;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

const SAMPLED: &str = "20";

#[component]
pub fn EditTest(
    open: RwSignal<bool>,
    subject: Subject,
    form: TestForm,
    #[prop(into)] on_saved: Callback<()>,
) -> impl IntoView {
    let toasts = use_toasts();
    let found = RwSignal::new(None::<TestResult>);
    let problem = RwSignal::new(None::<String>);
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    Effect::new(move |_| {
        if open.get() {
            found.set(None);
            problem.set(None);
            failure.set(None);
        }
    });
    let draft = move || match form.draft() {
        Ok(draft) => {
            problem.set(None);
            failure.set(None);
            Some(draft)
        }
        Err(message) => {
            problem.set(Some(message));
            None
        }
    };
    let run = Callback::new(move |()| {
        let (Some(mut draft), Some(path)) = (draft(), subject.tests_path("/run")) else { return };
        // What is not named yet can be run all the same.
        if draft.name.is_empty() {
            draft.name = text::new_test().to_owned();
        }
        let (sql, version) = (subject.sql.get_untracked(), subject.version.get_untracked());
        let body = RunTests { sql, version, tests: Vec::new(), draft: Some(draft) };
        busy.set(true);
        spawn_local(async move {
            let answer = api::post::<TestReport>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(report) => drop(found.try_set(report.results.into_iter().next())),
                Err(reason) => drop(failure.try_set(Some(reason))),
            }
        });
    });
    let save = Callback::new(move |()| {
        let Some(draft) = draft() else { return };
        let id = form.id.get_untracked();
        let tail = id.map_or_else(String::new, |id| format!("/{id}"));
        let Some(path) = subject.tests_path(&tail) else { return };
        busy.set(true);
        spawn_local(async move {
            let answer = match id {
                Some(_) => api::put::<JobTest>(&path, &draft).await,
                None => api::post::<JobTest>(&path, &draft).await,
            };
            let _ = busy.try_set(false);
            match answer {
                Ok(test) => {
                    toasts.good(text::saved(&test.draft.name));
                    let _ = open.try_set(false);
                    let _ = on_saved.try_run(());
                }
                Err(reason) => drop(failure.try_set(Some(reason))),
            }
        });
    });
    let not_run = Signal::derive(move || {
        let ran = found.with(|found| found.as_ref().is_some_and(|result| result.error.is_none()));
        (!ran).then(|| text::run_first().to_owned())
    });
    let take = move |()| {
        if let Some(result) = found.get_untracked() {
            form.take_actual(&result);
            run.run(());
        }
    };
    let title =
        Signal::derive(move || if form.id.get().is_some() { text::edit_test() } else { text::new_test() }.to_owned());
    let at_name =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("name"))));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button reason=not_run on_press=take>{text::take_actual()}</Button>
            <Button icon=Icon::Play busy on_press=run>{text::run_test()}</Button>
            <Button kind=Kind::Primary busy on_press=save>{text::save()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title foot=foot class="dialog-wide">
            <div class="form">
                <TextField label=text::name().to_owned() value=form.name autofocus=true error=at_name/>
                <h3>{text::inputs()}</h3>
                <p class="muted">{text::inputs_help()}</p>
                <For each=move || form.inputs.get() key=|input| input.number let(input)><Input subject form input/></For>
                <div><Button small=true icon=Icon::Plus on_press=move |()| form.add_input("", String::new())>{text::add_input()}</Button></div>
                <h3>{text::expected()}</h3>
                <For each=move || form.expected.get() key=|sink| sink.number let(sink)><Expected subject form sink/></For>
                <div><Button small=true icon=Icon::Plus on_press=move |()| form.add_expected("")>{text::add_expected()}</Button></div>
                {move || problem.get().map(|message| view! { <p class="bad" role="alert">{message}</p> })}
                {move || failure.get().filter(|failure| !failure.is_only_at(&["name"])).map(|failure| view! { <FailureNote failure/> })}
                <div role="status">{move || found.with(|found| found.as_ref().map(diff::result))}</div>
            </div>
        </Dialog>
    }
    .into_any()
}

/// What is known of the table's columns, below its rows.
fn help(subject: Subject, table: RwSignal<String>) -> Signal<String> {
    Signal::derive(move || {
        subject.columns(&table.get()).map_or_else(|| text::rows_help_plain().to_owned(), text::rows_help)
    })
}

#[component]
fn Input(subject: Subject, form: TestForm, input: InputForm) -> impl IntoView {
    let problem = RwSignal::new(None::<String>);
    let remove = move |()| form.inputs.update(|all| all.retain(|known| known.number != input.number));
    let sample = move |()| {
        let name = input.table.with_untracked(|name| name.trim().to_owned());
        // One that the last check does not know is looked for by its name.
        let known = untrack(|| subject.table(&name));
        problem.set(None);
        spawn_local(async move {
            match sample_of(subject, known, &name).await {
                Ok(Some(sample)) => drop(input.rows.try_set(lines::write(&supplied(sample)))),
                Ok(None) => drop(problem.try_set(Some(text::no_such_table(&name)))),
                Err(failure) => drop(problem.try_set(Some(failure.sentence()))),
            }
        });
    };
    let mask = move |()| {
        let columns = names(&input.mask.get_untracked());
        match input.rows.with_untracked(|rows| lines::masked(rows, &columns)) {
            Ok(rows) => input.rows.set(rows),
            Err(line) => problem.set(Some(text::bad_rows(input.table.get_untracked(), line))),
        }
    };
    let reads = subject.reads;
    let shown = move || input.table.get();
    view! {
        <fieldset class="test-part">
            <legend class="code">{shown}</legend>
            <TextField label=text::table().to_owned() value=input.table code=true suggestions=reads/>
            <TextArea label=text::rows().to_owned() value=input.rows rows=5 code=true help=help(subject, input.table) error=problem/>
            <TextField label=text::mask().to_owned() value=input.mask code=true is_optional=true help=text::mask_help().to_owned()/>
            <div class="row">
                <Button small=true icon=Icon::Download on_press=sample>{text::sample()}</Button>
                <Button small=true on_press=mask>{text::mask_now()}</Button>
                <Button small=true kind=Kind::DangerQuiet icon=Icon::Trash title=Signal::derive(move || text::remove_table(input.table.get())) on_press=remove>{text::remove()}</Button>
            </div>
        </fieldset>
    }
    .into_any()
}

async fn sample_of(subject: Subject, known: Option<Table>, name: &str) -> Result<Option<Sample>, Failure> {
    let table = match known {
        Some(table) => Some(table),
        None => find(&subject.team.get_value(), name).await?,
    };
    let Some(table) = table else { return Ok(None) };
    let path = subject.path(&format!("tables/{}/sample", table.id));
    api::get::<Sample>(&api::path::with_query(&path, &[("limit", SAMPLED)])).await.map(Some)
}

fn supplied(sample: Sample) -> Vec<SuppliedRow> {
    let columns = sample.columns;
    let row = |values: Vec<Value>| {
        let named = columns.iter().map(|column| column.name.clone()).zip(values);
        let kind = millrace_wire::preview::RowKind::Insert;
        SuppliedRow { kind, at: None, values: Value::Object(named.collect()) }
    };
    sample.rows.into_iter().map(row).collect()
}

#[component]
fn Expected(subject: Subject, form: TestForm, sink: ExpectedForm) -> impl IntoView {
    let remove = move |()| form.expected.update(|all| all.retain(|known| known.number != sink.number));
    let views = vec![
        (ResultView::State.as_str().to_owned(), text::state().to_owned()),
        (ResultView::Changelog.as_str().to_owned(), text::changelog().to_owned()),
    ];
    let orders = vec![
        (RowOrder::Any.as_str().to_owned(), text::order_any().to_owned()),
        (RowOrder::Exact.as_str().to_owned(), text::order_exact().to_owned()),
    ];
    let writes = subject.writes;
    let shown = move || sink.table.get();
    view! {
        <fieldset class="test-part">
            <legend class="code">{shown}</legend>
            <TextField label=text::table().to_owned() value=sink.table code=true suggestions=writes/>
            <div class="compare-choice">
                <SelectField label=text::view().to_owned() value=sink.view options=views/>
                <SelectField label=text::order().to_owned() value=sink.order options=orders/>
                <TextField label=text::tolerance().to_owned() value=sink.tolerance/>
                <TextField label=text::ignore().to_owned() value=sink.ignore code=true is_optional=true/>
            </div>
            <TextArea label=text::rows().to_owned() value=sink.rows rows=5 code=true help=help(subject, sink.table)/>
            <div><Button small=true kind=Kind::DangerQuiet icon=Icon::Trash title=Signal::derive(move || text::remove_table(sink.table.get())) on_press=remove>{text::remove()}</Button></div>
        </fieldset>
    }
    .into_any()
}
