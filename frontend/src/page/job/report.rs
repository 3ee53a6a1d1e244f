//! What a start would change, on a page with its own address; or, of a run, what was known before it began.

use leptos::prelude::*;
use millrace_wire::job::StartFrom;
use millrace_wire::report::DeploymentReport;

use super::context::use_job;
use crate::address::use_address;
use crate::api;
use crate::i18n::deployment as text;
use crate::load::load;
use crate::ui::empty_state::EmptyState;
use crate::ui::skeleton::Shape;
use crate::widget::deployment::Report;

#[component]
pub(super) fn ReportTab() -> impl IntoView {
    let context = use_job();
    let address = use_address();
    let (run, version, from) = (address.query("run"), address.query("version"), address.query("from"));
    let (savepoint, at_ms) = (address.query("savepoint"), address.query("at_ms"));
    let revision = Memo::new(move |_| context.job.with(|job| job.draft.revision));
    let report = load(
        move || (run.get(), version.get(), from.get(), savepoint.get(), at_ms.get(), revision.get()),
        move |(run, version, from, savepoint, at_ms, _)| async move {
            if let Some(run) = run {
                return match api::get::<DeploymentReport>(&context.path(&format!("runs/{run}/report"))).await {
                    Err(failure) if failure.code() == "not_found" => Ok(None),
                    answer => answer.map(Some),
                };
            }
            let from = from.unwrap_or_else(|| StartFrom::Latest.to_string());
            let (version, savepoint) = (version.unwrap_or_default(), savepoint.unwrap_or_default());
            let at_ms = at_ms.unwrap_or_default();
            let asked = [("version", version.as_str()), ("from", &from), ("savepoint", &savepoint), ("at_ms", &at_ms)];
            let path = api::path::with_query(&context.path("report"), &asked);
            api::get::<DeploymentReport>(&path).await.map(Some)
        },
    );
    let title = move || run.get().map_or_else(|| text::next_start().to_owned(), text::of_run);
    view! {
        <div class="page job-list">
            <h2>{title}</h2>
            {report.show(Shape::Page, move |report| (move || match report.get() {
                Some(report) => view! { <Report team=context.team.get_value() job=context.id report/> }.into_any(),
                None => view! { <EmptyState title=text::no_report() body=text::no_report_body()/> }.into_any(),
            }).into_any())}
        </div>
    }
    .into_any()
}
