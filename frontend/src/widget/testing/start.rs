//! What a test run reads and how much.

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::test_run::{StartTestRun, TestRunFrom};

use super::targets::{TargetChoices, TargetFields};
use super::{Subject, TestRunWatch, lines};
use crate::clock::from_local_field;
use crate::i18n::{testing as text, words};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::select_field::SelectField;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;

#[derive(Clone, Copy)]
struct Form {
    from: RwSignal<String>,
    at: RwSignal<String>,
    max_rows: RwSignal<String>,
    max_seconds: RwSignal<String>,
    memory: RwSignal<String>,
    /// Text by table.
    rows: RwSignal<BTreeMap<String, RwSignal<String>>>,
}

#[component]
pub fn StartTestRunDialog(
    open: RwSignal<bool>,
    subject: Subject,
    watch: TestRunWatch,
    #[prop(into)] on_started: Callback<()>,
) -> impl IntoView {
    let form = Form {
        from: RwSignal::new(TestRunFrom::Earliest.as_str().to_owned()),
        at: RwSignal::new(String::new()),
        max_rows: RwSignal::new("1000".to_owned()),
        max_seconds: RwSignal::new("60".to_owned()),
        memory: RwSignal::new("512".to_owned()),
        rows: RwSignal::new(BTreeMap::new()),
    };
    let targets = TargetChoices::new();
    let problem = RwSignal::new(None::<String>);
    // Theirs is the life of this dialog, not that of one opening.
    let owner = Owner::current().unwrap_or_default();
    // Fields stay while the dialog is open, whatever a new check finds.
    Effect::new(move |_| {
        if open.get() {
            problem.set(None);
            targets.ask(subject);
            let reads = subject.reads.get_untracked();
            form.rows.update(|rows| {
                rows.retain(|table, _| reads.contains(table));
                for table in reads {
                    rows.entry(table).or_insert_with(|| owner.with(|| RwSignal::new(String::new())));
                }
            });
        }
    });
    let start = Callback::new(move |()| match request(subject, form) {
        Ok(body) => {
            open.set(false);
            watch.start(StartTestRun { sandbox_targets: targets.chosen(), ..body });
            on_started.run(());
        }
        Err(message) => problem.set(Some(message)),
    });
    let froms = || {
        vec![
            (TestRunFrom::Earliest.as_str().to_owned(), text::from_earliest().to_owned()),
            (TestRunFrom::Latest.as_str().to_owned(), text::from_latest().to_owned()),
            (TestRunFrom::Time.as_str().to_owned(), text::from_time().to_owned()),
            (TestRunFrom::Table.as_str().to_owned(), text::from_table().to_owned()),
        ]
    };
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary on_press=start>{text::start()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title=text::start_title().to_owned() foot=foot class="dialog-wide">
            <div class="form">
                <p class="muted">{text::start_body()}</p>
                <SelectField label=text::from().to_owned() value=form.from options=froms()/>
                {move || (form.from.get() == TestRunFrom::Time.as_str()).then(|| view! {
                    <TextField label=text::at().to_owned() value=form.at kind="datetime-local"/>
                })}
                <TextField label=text::max_rows().to_owned() value=form.max_rows kind="number" help=text::max_rows_help().to_owned()/>
                <TextField label=text::max_seconds().to_owned() value=form.max_seconds kind="number" help=text::max_seconds_help().to_owned()/>
                <TextField label=text::memory().to_owned() value=form.memory kind="number" help=text::memory_help().to_owned()/>
                <TargetFields targets/>
                {move || (!form.rows.with(BTreeMap::is_empty)).then(|| view! {
                    <details>
                        <summary>{text::supplied()}</summary>
                        <p class="muted">{text::supplied_body()}</p>
                        {form.rows.get().into_iter().map(|(table, rows)| {
                            let help = subject.columns(&table).map_or_else(|| text::rows_help_plain().to_owned(), text::rows_help);
                            view! { <TextArea label=text::supplied_rows(&table) value=rows code=true help=help/> }
                        }).collect_view()}
                    </details>
                })}
                {move || problem.get().map(|message| view! { <p class="bad" role="alert">{message}</p> })}
            </div>
        </Dialog>
    }
    .into_any()
}

fn request(subject: Subject, form: Form) -> Result<StartTestRun, String> {
    let number = |name: &str, value: RwSignal<String>| {
        value.with_untracked(|value| value.trim().parse::<u32>()).map(Some).map_err(|_| text::number_first(name))
    };
    let from = form.from.with_untracked(|from| from.parse()).unwrap_or(TestRunFrom::Earliest);
    let at_ms = form.at.with_untracked(|at| from_local_field(at)).filter(|_| from == TestRunFrom::Time);
    let mut rows = BTreeMap::new();
    for (table, lines) in form.rows.get_untracked() {
        let given = lines.with_untracked(|lines| lines::parse(lines)).map_err(|line| text::bad_rows(&table, line))?;
        if !given.is_empty() {
            rows.insert(table, given);
        }
    }
    Ok(StartTestRun {
        sql: subject.sql.get_untracked(),
        job: subject.job,
        version: subject.version.get_untracked(),
        from,
        at_ms,
        rows,
        max_rows: number(text::max_rows(), form.max_rows)?,
        max_seconds: number(text::max_seconds(), form.max_seconds)?,
        memory_mb: number(text::memory(), form.memory)?,
        parallelism: None,
        sandbox_targets: Vec::new(),
    })
}
