//! The newest shadow run of what would be started, in one sentence.

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::report::ReportedShadowRun;
use millrace_wire::shadow_run::ShadowVerdict;

use crate::clock::local;
use crate::format::number::{counted, grouped};
use crate::i18n::shadow as text;
use crate::route::{JobTab, TeamRoute};
use crate::ui::panel::Panel;

pub(super) fn shadow(team: &str, job: JobId, found: &ReportedShadowRun) -> AnyView {
    let old = found.old.map(text::version).unwrap_or_default();
    let records = grouped(found.records_read);
    let (words, class) = match (found.verdict, found.differences) {
        (ShadowVerdict::Same, _) => (text::reported_same(old, records), "good"),
        (ShadowVerdict::Different, 0) => (text::reported_schema(old, records), "warn"),
        (ShadowVerdict::Different, count) => {
            let rows = counted(count, text::row_difference(), text::row_differences());
            (text::reported_different(old, records, rows), "warn")
        }
        (ShadowVerdict::Unclear, _) => (text::reported_unclear(old, records), "warn"),
    };
    let at = local(found.at).full();
    let href = TeamRoute::Job(job, JobTab::Tests).of(team).href();
    view! {
        <Panel title=text::reported().to_owned()>
            <p class="rail-note"><span class=class>{words}</span>" "<span class="muted">{at}</span></p>
            <p class="rail-note"><a class="link" href=href>{text::to_shadow_runs()}</a></p>
        </Panel>
    }
    .into_any()
}
