//! Shadow runs of the last days.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::ShadowRunId;
use millrace_wire::page::Page;
use millrace_wire::shadow_run::{ShadowRunSummary, ShadowSink, ShadowVerdict};
use millrace_wire::test_run::TestRunState;

use super::{Subject, name_of};
use crate::api;
use crate::clock::local;
use crate::format::number::grouped;
use crate::i18n::{shadow as text, testing};
use crate::load::Loaded;
use crate::ui::badge::{Badge, Tone};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::icon::Icon;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn History(
    subject: Subject,
    runs: Loaded<Page<ShadowRunSummary>>,
    page: Signal<Page<ShadowRunSummary>>,
    shown: RwSignal<Option<ShadowRunId>>,
) -> impl IntoView {
    let none = Memo::new(move |_| page.with(|page| page.items.is_empty()));
    let heads = || {
        vec![
            Head::text(testing::when()).fit(),
            Head::text(testing::by()),
            Head::text(text::compared()),
            Head::text(text::result()),
            Head::number(text::records()),
            Head::number(text::differences()),
            Head::text(testing::show()).silent().fit(),
        ]
    };
    view! {
        {move || if none.get() {
            view! { <p class="muted">{text::none_yet()}</p> }.into_any()
        } else {
            view! {
                <Table label=text::history() heads=heads() compact=true>
                    <For each=move || page.get().items key=|run| run.id let:run>
                        <Row subject runs page id=run.id shown/>
                    </For>
                </Table>
            }.into_any()
        }}
    }
    .into_any()
}

/// Keeps its place and its buttons while the counts go up.
#[component]
fn Row(
    subject: Subject,
    runs: Loaded<Page<ShadowRunSummary>>,
    page: Signal<Page<ShadowRunSummary>>,
    id: ShadowRunId,
    shown: RwSignal<Option<ShadowRunId>>,
) -> impl IntoView {
    let run = Memo::new(move |_| page.with(|page| page.items.iter().find(|run| run.id == id).cloned()));
    let words =
        move |read: fn(&ShadowRunSummary) -> String| move || run.with(|run| run.as_ref().map(read).unwrap_or_default());
    let at = run.with_untracked(|run| run.as_ref().map(|run| local(run.started_at)));
    let (when, full) = at.map(|at| (at.seconds(), at.full())).unwrap_or_default();
    let over = Signal::derive(move || {
        let running = run.with(|run| run.as_ref().is_some_and(|run| run.state == TestRunState::Running));
        (!running).then(|| text::over().to_owned())
    });
    let cancel = move |()| {
        let Some(path) = subject.shadow_path(&format!("/{id}")) else { return };
        spawn_local(async move {
            // It may have ended by itself a moment ago; the list says how.
            let _ = api::delete(&path).await;
            runs.reload();
        });
    };
    let (show_title, cancel_label) = (text::show_run(&when), text::cancel_run(&when));
    view! {
        <tr>
            <th scope="row" class="cell-fit"><time title=full>{when}</time></th>
            <td>{words(|run| run.started_by.clone())}</td>
            <td>{words(|run| text::pair(name_of(run.old.version), name_of(run.new.version)))}</td>
            <td>{move || run.with(|run| run.as_ref().map(result))}</td>
            <td class="num cell-fit">{words(|run| grouped(run.new.records_read))}</td>
            <td class="num cell-fit">{words(|run| grouped(run.sinks.iter().map(ShadowSink::differences).sum()))}</td>
            <td class="cell-fit">
                <Button kind=Kind::Quiet small=true icon=Icon::Eye title=show_title on_press=move |()| shown.set(Some(id))>{testing::show()}</Button>
                <IconButton small=true icon=Icon::Stop label=cancel_label reason=over on_press=cancel/>
            </td>
        </tr>
    }
    .into_any()
}

/// How it ended, in a word or two.
pub(super) fn result(run: &ShadowRunSummary) -> AnyView {
    let (tone, words) = match (run.state, run.verdict) {
        (TestRunState::Running, _) => (Tone::Accent, text::running()),
        (TestRunState::Failed, _) => (Tone::Bad, text::failed()),
        (TestRunState::Cancelled, _) => (Tone::Plain, text::cancelled()),
        (TestRunState::Finished, Some(ShadowVerdict::Same)) => (Tone::Good, text::same()),
        (TestRunState::Finished, Some(ShadowVerdict::Different)) => (Tone::Change, text::different()),
        (TestRunState::Finished, _) => (Tone::Warn, text::unclear()),
    };
    view! { <Badge tone>{words}</Badge> }.into_any()
}
