//! The rows of a preview with what can be done with them.

use leptos::prelude::*;
use leptos::web_sys;
use serde_json::Value;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;

use super::preview::{MOST_ROWS, Phase, Preview, RowsAs};
use crate::format::age::roughly;
use crate::format::number;
use crate::i18n::editor as text;
use crate::ui::button::IconButton;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::segmented::Segmented;
use crate::widget::data_grid::{DataGrid, csv, json, tsv};

#[derive(Clone, Copy)]
enum Kind {
    Csv,
    Json,
    Clipboard,
}

#[component]
pub(super) fn PreviewTools(preview: Preview) -> impl IntoView {
    let on = Signal::derive(move || preview.is_on());
    let nothing = Signal::derive(move || (preview.count() == 0).then(|| text::no_rows_to_export().to_owned()));
    let pause_label =
        Signal::derive(move || if preview.paused.get() { text::resume() } else { text::pause() }.to_owned());
    let not_running = Signal::derive(move || (!on.get()).then(|| text::preview_not_running().to_owned()));
    let items = Signal::derive(move || {
        let reason = nothing.get();
        vec![
            MenuItem::run(text::copy_rows(), Some(Icon::Copy), move || export(preview, Kind::Clipboard))
                .unless(reason.clone()),
            MenuItem::run(text::export_csv(), Some(Icon::Download), move || export(preview, Kind::Csv))
                .unless(reason.clone()),
            MenuItem::run(text::export_json(), Some(Icon::Download), move || export(preview, Kind::Json))
                .unless(reason),
        ]
    });
    let toggle = move |()| if preview.paused.get_untracked() { preview.resume() } else { preview.pause() };
    view! {
        <Segmented label=text::rows_as() value=preview.rows_as on_choose=move |choice| preview.rows_as.set(choice)
            options=vec![(RowsAs::Changes, text::changes().to_owned()), (RowsAs::Current, text::current_rows().to_owned())]/>
        {move || if preview.paused.get() {
            view! { <IconButton small=true icon=Icon::Play label=pause_label on_press=toggle/> }
        } else {
            view! { <IconButton small=true icon=Icon::Pause label=pause_label reason=not_running on_press=toggle/> }
        }}
        <IconButton small=true icon=Icon::Stop label=text::cancel_preview().to_owned() reason=not_running on_press=move |()| preview.stop()/>
        <Menu label=Signal::derive(|| text::export().to_owned()) class="icon-button icon-button-small" items>{Icon::Download.view()}</Menu>
    }
    .into_any()
}

#[component]
pub(super) fn PreviewPanel(preview: Preview) -> impl IntoView {
    let rows = preview.rows();
    let has_updates = preview.has_updates();
    // Rows that change in place do not come at the end.
    let follow = Signal::derive(move || preview.rows_as.get() == RowsAs::Changes || !has_updates.get());
    let phase = preview.phase;
    let state = move || match phase.get() {
        Phase::Starting => "starting",
        Phase::Running => "running",
        Phase::Failed(_) | Phase::Broken { .. } => "failed",
        Phase::Idle | Phase::Ended(_) => "stopped",
    };
    let words = move || {
        let progress = preview.progress.get();
        let read = progress
            .as_ref()
            .map(|progress| text::rows_read(number::grouped(progress.records_read), roughly(progress.elapsed_ms)));
        let parts: Vec<String> = match phase.get() {
            Phase::Idle => return String::new(),
            Phase::Starting => vec![text::starting_preview().to_owned()],
            Phase::Running => vec![],
            Phase::Ended(reason) => vec![text::ended(reason)],
            Phase::Failed(_) | Phase::Broken { .. } => vec![text::failed().to_owned()],
        };
        parts
            .into_iter()
            .chain(read)
            .chain([preview.note.get()])
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let shown = move || {
        let held = preview.held_count.get();
        let count = preview.count() as u64;
        let count = if follow.get() {
            text::rows_of(number::grouped(count), number::grouped(u64::from(MOST_ROWS)))
        } else {
            text::rows_from(number::grouped(rows.with(Vec::len) as u64), number::grouped(count))
        };
        if held > 0 { text::paused(number::grouped(held as u64), count) } else { count }
    };
    let face = Memo::new(move |_| match phase.get() {
        Phase::Idle => Face::Idle,
        Phase::Failed(failure) => Face::Failed(failure),
        Phase::Broken { message, hint } if preview.count() == 0 => Face::Broken(message, hint),
        _ if preview.count() == 0 => Face::Waiting,
        _ => Face::Rows,
    });
    let waits_for = move || {
        let said = preview.progress.with(|progress| progress.as_ref().map(|progress| progress.waiting_for.clone()));
        match (phase.get(), said.filter(|said| !said.is_empty())) {
            (Phase::Ended(_), _) => text::no_rows_came().to_owned(),
            (_, Some(said)) => said,
            _ => text::waits_for_rows().to_owned(),
        }
    };
    view! {
        <p class="preview-note" role="status" class:is-hidden=move || phase.get() == Phase::Idle>
            <span class="state" data-state=state><span class="state-mark" aria-hidden="true"></span></span>
            <span class="grow">{words}</span>
            <span class="nowrap">{shown}</span>
        </p>
        {move || match face.get() {
            Face::Idle => view! { <div class="ide-empty"><EmptyState title=text::no_preview() body=text::no_preview_body()/></div> }.into_any(),
            Face::Failed(failure) => view! { <div class="ide-empty"><FailureNote failure/></div> }.into_any(),
            Face::Broken(message, hint) => view! {
                <div class="ide-empty"><div class="callout callout-bad" role="alert">
                    {Icon::Error.view()}<strong>{message}</strong>{hint.map(|hint| view! { <p>{hint}</p> })}
                </div></div>
            }.into_any(),
            Face::Waiting => view! { <p class="ide-empty muted" role="status">{waits_for}</p> }.into_any(),
            Face::Rows => view! {
                {move || (preview.rows_as.get() == RowsAs::Current && !has_updates.get()).then(|| view! {
                    <p class="preview-note subtle">{text::same_rows()}</p>
                })}
                {move || match phase.get() {
                    Phase::Broken { message, .. } => Some(view! { <p class="preview-note bad" role="alert">{message}</p> }),
                    _ => None,
                }}
                <DataGrid label=text::result_rows() columns=preview.columns rows follow/>
            }.into_any(),
        }}
    }
    .into_any()
}

#[derive(Clone, Debug, PartialEq)]
enum Face {
    Idle,
    Waiting,
    Rows,
    Failed(crate::api::Failure),
    Broken(String, Option<String>),
}

/// With the kind of change in its own column where changes are shown.
fn export(preview: Preview, kind: Kind) {
    let changes = preview.rows_as.get_untracked() == RowsAs::Changes;
    let mut names: Vec<String> =
        preview.columns.with_untracked(|columns| columns.iter().map(|column| column.name.clone()).collect());
    if changes {
        names.insert(0, text::change_column().to_owned());
    }
    let rows: Vec<Vec<Value>> = untrack(|| preview.rows().get())
        .iter()
        .map(|row| {
            let mark = row.kind.map(|kind| Value::String(kind.as_str().to_owned()));
            mark.into_iter().chain(row.values.iter().cloned()).collect()
        })
        .collect();
    let rows = rows.iter().map(Vec::as_slice);
    match kind {
        Kind::Csv => download("preview.csv", "text/csv", &csv(&names, rows)),
        Kind::Json => download("preview.json", "application/json", &json(&names, rows)),
        Kind::Clipboard => {
            let _ = window().navigator().clipboard().write_text(&tsv(&names, rows));
        }
    }
}

fn download(name: &str, mime: &str, text: &str) {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(mime);
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options);
    let Some(url) = blob.ok().and_then(|blob| web_sys::Url::create_object_url_with_blob(&blob).ok()) else { return };
    let link = document().create_element("a").ok().and_then(|link| link.dyn_into::<web_sys::HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    let _ = web_sys::Url::revoke_object_url(&url);
}
