//! The SQL tests of the job, with their newest results for what would be started.

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::report::ReportedTest;

use crate::clock::local;
use crate::i18n::deployment as text;
use crate::route::{JobTab, TeamRoute};
use crate::ui::panel::Panel;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn Tests(team: String, job: JobId, tests: Vec<ReportedTest>) -> impl IntoView {
    if tests.is_empty() {
        return ().into_any();
    }
    let href = TeamRoute::Job(job, JobTab::Tests).of(&team).href();
    let heads = vec![Head::text(text::test()), Head::text(text::result()), Head::text(text::tested_at())];
    view! {
        <Panel title=text::tests().to_owned()>
            <Table label=text::tests() heads>{tests.into_iter().map(row).collect_view()}</Table>
            <p class="rail-note"><a class="link" href=href>{text::to_tests()}</a></p>
        </Panel>
    }
    .into_any()
}

fn row(test: ReportedTest) -> AnyView {
    let (words, class) = match &test.result {
        Some(result) if result.passed => (text::passed(), "good"),
        Some(_) => (text::failed(), "bad"),
        None => (text::not_run(), "warn"),
    };
    let at = test.result.map(|result| local(result.at).full());
    view! { <tr><th scope="row">{test.name}</th><td class=class>{words}</td><td class="muted">{at}</td></tr> }
        .into_any()
}
