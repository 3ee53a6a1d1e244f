//! Which two versions, over which input, and how rows are matched.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::ShadowRunId;
use millrace_wire::shadow_run::{ShadowRun, StartShadowRun};
use millrace_wire::test_run::TestRunFrom;

use super::super::form::names;
use super::Subject;
use crate::api::{self, Failure};
use crate::clock::from_local_field;
use crate::i18n::{shadow as text, testing, words};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;

#[derive(Clone, Copy)]
struct Form {
    old: RwSignal<String>,
    new: RwSignal<String>,
    from: RwSignal<String>,
    at: RwSignal<String>,
    max_records: RwSignal<String>,
    max_rows: RwSignal<String>,
    max_seconds: RwSignal<String>,
    memory: RwSignal<String>,
    /// Columns by sink.
    keys: RwSignal<BTreeMap<String, RwSignal<String>>>,
}

#[component]
pub(super) fn StartShadowRunDialog(
    open: RwSignal<bool>,
    subject: Subject,
    versions: Signal<Vec<u32>>,
    on_started: Callback<ShadowRunId>,
) -> impl IntoView {
    let form = Form {
        old: RwSignal::new(String::new()),
        new: RwSignal::new(String::new()),
        from: RwSignal::new(TestRunFrom::Earliest.as_str().to_owned()),
        at: RwSignal::new(String::new()),
        max_records: RwSignal::new("10000".to_owned()),
        max_rows: RwSignal::new("10000".to_owned()),
        max_seconds: RwSignal::new("60".to_owned()),
        memory: RwSignal::new("512".to_owned()),
        keys: RwSignal::new(BTreeMap::new()),
    };
    let (problem, failure) = (RwSignal::new(None::<String>), RwSignal::new(None::<Failure>));
    let busy = RwSignal::new(false);
    // Theirs is the life of this dialog, not that of one opening.
    let owner = Owner::current().unwrap_or_default();
    Effect::new(move |_| {
        if open.get() {
            problem.set(None);
            failure.set(None);
            let writes = subject.writes.get();
            form.keys.update(|keys| {
                keys.retain(|table, _| writes.contains(table));
                for table in writes {
                    keys.entry(table).or_insert_with(|| owner.with(|| RwSignal::new(String::new())));
                }
            });
        }
    });
    let start = Callback::new(move |()| {
        let (body, path) = match (request(form), subject.shadow_path("")) {
            (Ok(body), Some(path)) => (body, path),
            (Err(message), _) => return problem.set(Some(message)),
            (_, None) => return,
        };
        problem.set(None);
        failure.set(None);
        busy.set(true);
        spawn_local(async move {
            let answer = api::post::<ShadowRun>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(run) => {
                    let _ = open.try_set(false);
                    on_started.try_run(run.summary.id);
                }
                Err(said) => {
                    let _ = failure.try_set(Some(said));
                }
            }
        });
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy on_press=start>{text::start()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title=text::start_title().to_owned() foot=foot class="dialog-wide">
            <Fields form versions/>
            {move || problem.get().map(|message| view! { <p class="bad" role="alert">{message}</p> })}
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}

#[component]
fn Fields(form: Form, versions: Signal<Vec<u32>>) -> impl IntoView {
    let choices = move |first: &'static str| {
        Signal::derive(move || {
            let named = |number: &u32| (number.to_string(), text::version(*number));
            let versions = versions.with(|versions| versions.iter().map(named).collect::<Vec<_>>());
            std::iter::once((String::new(), first.to_owned())).chain(versions).collect::<Vec<_>>()
        })
    };
    let froms = vec![
        (TestRunFrom::Earliest.as_str().to_owned(), testing::from_earliest().to_owned()),
        (TestRunFrom::Latest.as_str().to_owned(), text::from_newest().to_owned()),
        (TestRunFrom::Time.as_str().to_owned(), testing::from_time().to_owned()),
        (TestRunFrom::Table.as_str().to_owned(), testing::from_table().to_owned()),
    ];
    let keys = move || {
        let field = |(table, columns): (String, RwSignal<String>)| {
            let help = text::match_help().to_owned();
            view! { <TextField label=text::match_by(&table) value=columns code=true is_optional=true help=help/> }
        };
        form.keys.get().into_iter().map(field).collect_view()
    };
    view! {
        <div class="form">
            <p class="muted">{text::explain()}</p>
            <div class="form-pair">
                <SelectField label=text::old().to_owned() value=form.old options=choices(text::running_version()) help=text::old_help().to_owned()/>
                <SelectField label=text::new().to_owned() value=form.new options=choices(text::draft())/>
                <SelectField label=testing::from().to_owned() value=form.from options=froms/>
                {move || (form.from.get() == TestRunFrom::Time.as_str()).then(|| view! {
                    <TextField label=testing::at().to_owned() value=form.at kind="datetime-local"/>
                })}
                <TextField label=text::max_records().to_owned() value=form.max_records kind="number" help=text::max_records_help().to_owned()/>
                <TextField label=testing::max_rows().to_owned() value=form.max_rows kind="number" help=text::max_rows_help().to_owned()/>
                <TextField label=testing::max_seconds().to_owned() value=form.max_seconds kind="number" help=testing::max_seconds_help().to_owned()/>
                <TextField label=testing::memory().to_owned() value=form.memory kind="number" help=text::each().to_owned()/>
            </div>
            {keys}
        </div>
    }
    .into_any()
}

fn request(form: Form) -> Result<StartShadowRun, String> {
    let number = |name: &str, value: RwSignal<String>| {
        value.with_untracked(|value| value.trim().parse::<u32>()).map(Some).map_err(|_| testing::number_first(name))
    };
    let from = form.from.with_untracked(|from| from.parse()).unwrap_or(TestRunFrom::Earliest);
    let keys = form.keys.get_untracked().into_iter().map(|(table, columns)| (table, names(&columns.get_untracked())));
    Ok(StartShadowRun {
        old: form.old.with_untracked(|number| number.parse().ok()),
        new: form.new.with_untracked(|number| number.parse().ok()),
        sql: None,
        from,
        at_ms: form.at.with_untracked(|at| from_local_field(at)).filter(|_| from == TestRunFrom::Time),
        offsets: BTreeMap::new(),
        max_records: number(text::max_records(), form.max_records)?,
        keys: keys.filter(|(_, columns)| !columns.is_empty()).collect(),
        max_rows: number(testing::max_rows(), form.max_rows)?,
        max_seconds: number(testing::max_seconds(), form.max_seconds)?,
        memory_mb: number(testing::memory(), form.memory)?,
        parallelism: None,
    })
}
