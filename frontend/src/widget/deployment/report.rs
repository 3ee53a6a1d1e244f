//! The deployment report as people read it.

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::job::StartFrom;
use millrace_wire::report::{
    DeploymentReport, Downstream, LineageChange, OperatorState, SourceRead, StateReport, StateVerdict,
};

use super::difference::Difference;
use super::shadow::shadow;
use super::tests::Tests;
use super::variables::Variables;
use crate::clock::local;
use crate::format::number::counted;
use crate::i18n::{approvals, deployment as text};
use crate::route::{JobTab, TeamRoute};
use crate::ui::callout::{Callout, Notice};
use crate::ui::panel::Panel;
use crate::ui::table::{Head, Table};
use crate::widget::restorable::restorable_words;

/// Positions of a source that are named one by one.
const MOST_POSITIONS: usize = 4;

#[component]
pub fn Report(team: String, job: JobId, report: DeploymentReport) -> impl IntoView {
    let DeploymentReport {
        at,
        version,
        against,
        difference,
        from,
        restore,
        restorable,
        tests,
        shadow_run,
        state,
        downstream,
        lineage,
        variables,
        warnings,
        errors,
        approval,
    } = report;
    let approval = approval.map(|given| approvals::approved_by(given.by, local(given.at).full()));
    let what = match version {
        Some(number) => text::starts_version(number),
        None => text::starts_draft().to_owned(),
    };
    let against = match against {
        Some(number) => text::against(number),
        None => text::first_run().to_owned(),
    };
    let start = match (&restore, from) {
        (Some(point), _) => text::from_point(point.kind, point.number, point.run_number),
        (None, StartFrom::Fresh) => text::from_fresh().to_owned(),
        (None, _) => text::from_none().to_owned(),
    };
    let restorable = restorable.map(|found| {
        let (words, class) = restorable_words(&found);
        view! { <p class=class>{words}</p> }
    });
    view! {
        <p class="muted">{what}" "{against}" "{start}" "{text::made_at(local(at).full())}" "{approval}</p>
        {restorable}
        {list(Notice::Bad, text::errors(), errors)}
        {list(Notice::Warn, text::warnings(), warnings)}
        <Tests team=team.clone() job tests/>
        {shadow_run.map(|found| shadow(&team, job, &found))}
        <Variables variables/>
        <State state/>
        {lineage_view(lineage)}
        {downstream_view(&team, downstream)}
        <Panel title=text::difference().to_owned()><Difference diff=difference/></Panel>
    }
    .into_any()
}

fn list(notice: Notice, title: &'static str, lines: Vec<String>) -> AnyView {
    if lines.is_empty() {
        return ().into_any();
    }
    view! {
        <Callout notice title=title.to_owned()>
            <ul>{lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
        </Callout>
    }
    .into_any()
}

const fn verdict(verdict: StateVerdict) -> (&'static str, &'static str) {
    match verdict {
        StateVerdict::Kept => (text::kept(), "good"),
        StateVerdict::Lost => (text::lost(), "warn"),
        StateVerdict::New => (text::new(), "muted"),
        StateVerdict::Refused => (text::refused(), "bad"),
    }
}

#[component]
fn State(state: StateReport) -> impl IntoView {
    let StateReport { operators, sources, .. } = state;
    let operator = |operator: OperatorState| {
        let (word, class) = verdict(operator.verdict);
        view! {
            <tr>
                <th scope="row">{operator.kind}" "<span class="muted">{operator.name}</span></th>
                <td class=class>{word}</td>
                <td class="muted">{operator.detail}</td>
            </tr>
        }
    };
    view! {
        <Panel title=text::state().to_owned()>
            {if operators.is_empty() {
                view! { <p class="subtle rail-note">{text::stateless()}</p> }.into_any()
            } else {
                let heads = vec![Head::text(text::operator()), Head::text(text::its_state()), Head::text(text::why())];
                view! { <Table label=text::state() heads>{operators.into_iter().map(operator).collect_view()}</Table> }.into_any()
            }}
        </Panel>
        {(!sources.is_empty()).then(|| {
            let heads = vec![Head::text(text::table()), Head::text(text::read_from())];
            view! {
                <Panel title=text::sources().to_owned()>
                    <Table label=text::sources() heads>{sources.into_iter().map(|source| {
                        let words = source_words(&source);
                        view! { <tr><th scope="row" class="code">{source.table}</th><td>{words}</td></tr> }
                    }).collect_view()}</Table>
                </Panel>
            }
        })}
    }
    .into_any()
}

fn source_words(source: &SourceRead) -> String {
    if !source.goes_on {
        return match source.startup.as_str() {
            "" => text::as_options().to_owned(),
            mode => text::as_option(mode),
        };
    }
    let named: Vec<String> = source
        .positions
        .iter()
        .take(MOST_POSITIONS)
        .map(|position| format!("{} {}", position.split, position.position))
        .collect();
    let more = source.positions.len().saturating_sub(MOST_POSITIONS);
    let more = if more == 0 { String::new() } else { text::and_more(more) };
    text::goes_on(counted(source.positions.len() as u64, text::part(), text::parts()), named.join(", "), more)
}

fn lineage_view(change: LineageChange) -> AnyView {
    let lines = [
        (text::reads_added(), change.reads_added, "good"),
        (text::reads_removed(), change.reads_removed, "warn"),
        (text::writes_added(), change.writes_added, "good"),
        (text::writes_removed(), change.writes_removed, "warn"),
    ];
    let lines: Vec<_> = lines.into_iter().filter(|(_, tables, _)| !tables.is_empty()).collect();
    if lines.is_empty() {
        return ().into_any();
    }
    view! {
        <Panel title=text::lineage().to_owned()>
            <ul class="settings-diff">{lines.into_iter().map(|(words, tables, class)| view! {
                <li><span class=class>{words}</span>" "<span class="code">{tables.join(", ")}</span></li>
            }).collect_view()}</ul>
        </Panel>
    }
    .into_any()
}

fn downstream_view(team: &str, downstream: Vec<Downstream>) -> AnyView {
    if downstream.is_empty() {
        return ().into_any();
    }
    let line = |table: Downstream| {
        let readers = table.readers.into_iter().map(|job| {
            let href = TeamRoute::Job(job.id, JobTab::Overview).of(team).href();
            view! { <a class="link" href=href>{job.name}</a>" " }
        });
        let readers = readers.collect::<Vec<_>>();
        let nobody = readers.is_empty().then(text::no_readers);
        view! { <tr><th scope="row" class="code">{table.table}</th><td>{readers}<span class="subtle">{nobody}</span></td></tr> }
    };
    let heads = vec![Head::text(text::table()), Head::text(text::read_by())];
    let rows = downstream.into_iter().map(line).collect_view();
    view! {
        <Panel title=text::downstream().to_owned()>
            <Table label=text::downstream() heads>{rows}</Table>
        </Panel>
    }
    .into_any()
}
