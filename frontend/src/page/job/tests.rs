//! The SQL tests of the job, its test runs, and its shadow runs.

use leptos::prelude::*;
use millrace_wire::job::VersionSummary;
use millrace_wire::page::Page;
use millrace_wire::sql::{Validate, Validation};
use millrace_wire::test_run::TestRun;

use super::context::use_job;
use crate::api;
use crate::i18n::testing as text;
use crate::load::load;
use crate::ui::panel::Panel;
use crate::ui::select_field::SelectField;
use crate::widget::testing::{
    EditTest, ShadowRuns, SqlTests, StartTestRunDialog, Subject, TestForm, TestResults, TestRunHistory, TestRunTools,
    TestRunWatch, named_tables,
};

#[component]
pub(super) fn Tests() -> impl IntoView {
    let context = use_job();
    let team = context.team.get_value();
    let draft = Memo::new(move |_| context.job.with(|job| job.draft.sql.clone()).unwrap_or_default());
    let path = api::path::team(&team, "sql/validate");
    let checked = load(
        move || draft.get(),
        move |sql| {
            let path = path.clone();
            async move { api::post::<Validation>(&path, &Validate { sql, parallelism: None }).await }
        },
    );
    let versions = load(
        || (),
        move |()| {
            let path = api::path::with_query(&context.path("versions"), &[("limit", "100")]);
            async move { api::get::<Page<VersionSummary>>(&path).await }
        },
    );
    // Empty: the draft.
    let tested = RwSignal::new(String::new());
    let choices = Signal::derive(move || {
        let named = |version: &VersionSummary| (version.number.to_string(), text::version(version.number));
        let versions = versions.with(|page| page.items.iter().map(named).collect::<Vec<_>>()).unwrap_or_default();
        std::iter::once((String::new(), text::draft().to_owned())).chain(versions).collect::<Vec<_>>()
    });
    let numbers = Signal::derive(move || {
        versions.with(|page| page.items.iter().map(|version| version.number).collect::<Vec<_>>()).unwrap_or_default()
    });
    let named = move |read: fn(&Validation) -> &Vec<String>| {
        Signal::derive(move || checked.with(|found| read(found).clone()).unwrap_or_default())
    };
    let (reads, writes) = (named(|found| &found.reads), named(|found| &found.writes));
    let subject = Subject {
        team: context.team,
        job: Some(context.id),
        sql: Signal::derive(|| None),
        version: Signal::derive(move || tested.get().parse().ok()),
        reads,
        writes,
        tables: named_tables(context.team, reads, writes),
    };
    let watch = TestRunWatch::new(&team);
    let form = TestForm::empty();
    let (starts, edits, saved) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(0_u32));
    let make = Callback::new(move |run: TestRun| {
        form.of_test_run(&run);
        edits.set(true);
    });
    let tools = move || view! { <TestRunTools watch starts on_make_test=Some(make)/> }.into_any();
    view! {
        <div class="page job-list">
            <div class="compare-choice">
                <SelectField label=text::tested().to_owned() value=tested options=choices help=text::tested_help().to_owned()/>
            </div>
            <SqlTests subject form edits saved/>
            <Panel title=text::test_run().to_owned() end=tools><TestResults subject watch/></Panel>
            <ShadowRuns subject versions=numbers/>
            <TestRunHistory subject watch on_show=Callback::new(|()| {})/>
        </div>
        <StartTestRunDialog open=starts subject watch on_started=Callback::new(|()| {})/>
        <EditTest open=edits subject form on_saved=move |()| saved.update(|saved| *saved += 1)/>
    }
    .into_any()
}
