//! The caller's previews of the team: looked at again with the rows that came, put into the text, compared.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::live::LiveEvent;
use millrace_wire::preview_history::{KeptPreview, PreviewOutcome, PreviewSnapshot};

use super::desk::Desk;
use super::history_compare::Compare;
use super::preview::Preview;
use crate::api;
use crate::clock::local;
use crate::format::age::roughly;
use crate::format::number;
use crate::i18n::editor as text;
use crate::live::use_live;
use crate::load::load_all;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn HistoryPanel(
    desk: Desk,
    preview: Preview,
    /// The rows stand in the preview again.
    on_open: Callback<()>,
) -> impl IntoView {
    let kept = load_all::<KeptPreview>(desk.path("preview-history"));
    use_live().on(move |event| {
        if matches!(event, LiveEvent::PreviewKept | LiveEvent::Reset) {
            kept.reload();
        }
    });
    let shown = kept.show(Shape::Rows(3), move |list| {
        (move || {
            let list_now = list.get();
            if list_now.is_empty() {
                return view! { <div class="ide-empty"><EmptyState title=text::no_history() body=text::no_history_body()/></div> }
                    .into_any();
            }
            let rows: Vec<AnyView> = list_now.into_iter().map(|one| row(one, desk, preview, on_open)).collect();
            view! {
                <Table label=text::history() heads=heads() compact=true sticky=true>{rows}</Table>
                <Compare desk list/>
            }
            .into_any()
        })
        .into_any()
    });
    view! {
        <div class="ide-panel">
            <div class="pane grow ide-history" tabindex="0" role="group" aria-label=text::history()>{shown}</div>
        </div>
    }
    .into_any()
}

fn heads() -> Vec<Head> {
    vec![
        Head::text(text::history_when()).fit(),
        Head::text(text::history_statement()),
        Head::number(text::rows()),
        Head::number(text::history_read()),
        Head::text(text::history_end()),
        Head::text(text::history_actions()).silent().fit(),
    ]
}

fn row(kept: KeptPreview, desk: Desk, preview: Preview, on_open: Callback<()>) -> AnyView {
    let at = local(kept.started_at);
    let one_line = kept.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let no_rows = kept.row_count == 0;
    let cannot_open = Signal::derive(move || {
        if no_rows {
            Some(text::history_no_rows().to_owned())
        } else {
            preview.is_on().then(|| text::history_running().to_owned())
        }
    });
    let read = text::history_read_in(number::grouped(kept.records_read), roughly(kept.duration_ms));
    let ended = match kept.outcome {
        PreviewOutcome::Failed => text::history_failed_with(&kept.reason),
        PreviewOutcome::Finished | PreviewOutcome::Cancelled => kept.reason.clone(),
    };
    let path = desk.path(&format!("preview-history/{}", kept.id));
    let (opened, deleted) = (path.clone(), path);
    let open = move |()| {
        let path = opened.clone();
        spawn_local(async move {
            match api::get::<PreviewSnapshot>(&path).await {
                Ok(snapshot) => {
                    preview.reopen(snapshot);
                    on_open.run(());
                }
                Err(failure) => desk.toasts.bad(text::history_cannot_open(), failure.sentence()),
            }
        });
    };
    let delete = move |()| {
        let path = deleted.clone();
        spawn_local(async move {
            if let Err(failure) = api::delete(&path).await {
                desk.toasts.bad(text::history_cannot_delete(), failure.sentence());
            }
        });
    };
    let sql = kept.sql.clone();
    let delete_label = text::history_delete(at.seconds());
    view! {
        <tr>
            <td class="cell-fit"><time title=at.full()>{at.seconds()}</time></td>
            <th scope="row" class="code cell-clip" title=kept.sql.clone()>{one_line}</th>
            <td class="num cell-fit">{number::grouped(kept.row_count)}</td>
            <td class="num cell-fit muted">{read}</td>
            <td class="cell-clip muted" title=ended.clone()>{ended.clone()}</td>
            <td class="cell-fit"><span class="row">
                <Button kind=Kind::Quiet small=true icon=Icon::Eye reason=cannot_open on_press=open>{text::history_open()}</Button>
                <IconButton small=true icon=Icon::Copy label=text::history_insert().to_owned() on_press=move |()| desk.sql.insert(&sql)/>
                <IconButton small=true icon=Icon::Trash label=delete_label on_press=delete/>
            </span></td>
        </tr>
    }
    .into_any()
}
