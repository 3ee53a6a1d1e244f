//! The previews of this session: what was asked, when, and the rows that came, so that they can be looked at again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use millrace_wire::preview::{PreviewProgress, ResultColumn};

use super::preview::Preview;
use crate::clock::local;
use crate::format::age::roughly;
use crate::format::number;
use crate::i18n::editor as text;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::table::{Head, Table};
use crate::widget::data_grid::GridRow;

/// One preview that ended.
#[derive(Debug, PartialEq)]
pub(super) struct Past {
    pub(super) at: i64,
    /// The statement, not the whole script.
    pub(super) sql: String,
    pub(super) columns: Vec<ResultColumn>,
    pub(super) rows: Vec<Arc<GridRow>>,
    pub(super) note: String,
    pub(super) reason: String,
    pub(super) progress: Option<PreviewProgress>,
}

/// Each holds up to a thousand rows.
const MOST: usize = 12;

thread_local! {
    // By team. Lives as long as the page is not loaded again, also while other pages are open.
    static KEPT: RefCell<HashMap<String, Vec<Arc<Past>>>> = RefCell::new(HashMap::new());
}

/// The history of one team, newest first.
#[derive(Clone, Copy)]
pub(super) struct History {
    team: StoredValue<String>,
    list: RwSignal<Vec<Arc<Past>>>,
}

impl History {
    pub(super) fn provide(team: &str) {
        let kept = KEPT.with_borrow(|kept| kept.get(team).cloned().unwrap_or_default());
        provide_context(History { team: StoredValue::new(team.to_owned()), list: RwSignal::new(kept) });
    }

    /// Called when the page goes too, so nothing here relies on it.
    pub(super) fn add(&self, past: Past) {
        let Some(team) = self.team.try_get_value() else { return };
        let list = KEPT.with_borrow_mut(|kept| {
            let list = kept.entry(team).or_default();
            put(list, Arc::new(past));
            list.clone()
        });
        let _ = self.list.try_set(list);
    }
}

fn put(list: &mut Vec<Arc<Past>>, past: Arc<Past>) {
    list.insert(0, past);
    list.truncate(MOST);
}

pub(super) fn use_history() -> History {
    expect_context::<History>()
}

#[component]
pub(super) fn HistoryPanel(
    preview: Preview,
    /// The rows stand in the preview again.
    on_open: Callback<()>,
    /// Puts SQL at the caret.
    on_insert: Callback<String>,
) -> impl IntoView {
    let list = use_history().list;
    let heads = || {
        vec![
            Head::text(text::history_when()).fit(),
            Head::text(text::history_statement()),
            Head::number(text::rows()),
            Head::number(text::history_read()),
            Head::text(text::history_end()).fit(),
            Head::text(text::history_actions()).silent().fit(),
        ]
    };
    view! {
        <div class="ide-panel">
            {move || if list.with(Vec::is_empty) {
                view! { <div class="ide-empty"><EmptyState title=text::no_history() body=text::no_history_body()/></div> }.into_any()
            } else {
                view! {
                    <div class="pane grow ide-history" tabindex="0" role="group" aria-label=text::history()>
                        <Table label=text::history() heads=heads() compact=true sticky=true>
                            {move || list.get().into_iter().map(|past| row(past, preview, on_open, on_insert)).collect_view()}
                        </Table>
                    </div>
                }.into_any()
            }}
        </div>
    }
    .into_any()
}

fn row(past: Arc<Past>, preview: Preview, on_open: Callback<()>, on_insert: Callback<String>) -> AnyView {
    let at = local(past.at);
    let one_line = past.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let no_rows = past.rows.is_empty();
    let cannot_open = Signal::derive(move || {
        if no_rows {
            Some(text::history_no_rows().to_owned())
        } else {
            preview.is_on().then(|| text::history_running().to_owned())
        }
    });
    let read = past
        .progress
        .as_ref()
        .map(|progress| text::history_read_in(number::grouped(progress.records_read), roughly(progress.elapsed_ms)));
    let opened = Arc::clone(&past);
    let open = move |()| {
        preview.reopen(&opened);
        on_open.run(());
    };
    let sql = past.sql.clone();
    view! {
        <tr>
            <td class="cell-fit"><time title=at.full()>{at.seconds()}</time></td>
            <th scope="row" class="code cell-clip" title=past.sql.clone()>{one_line}</th>
            <td class="num cell-fit">{number::grouped(past.rows.len() as u64)}</td>
            <td class="num cell-fit muted">{read}</td>
            <td class="cell-fit muted">{past.reason.clone()}</td>
            <td class="cell-fit"><span class="row">
                <Button kind=Kind::Quiet small=true icon=Icon::Eye reason=cannot_open on_press=open>{text::history_open()}</Button>
                <IconButton small=true icon=Icon::Copy label=text::history_insert().to_owned() on_press=move |()| on_insert.run(sql.clone())/>
            </span></td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_and_old_ones_go() {
        let mut list = Vec::new();
        for at in 0..20 {
            let past = Past {
                at,
                sql: String::new(),
                columns: vec![],
                rows: vec![],
                note: String::new(),
                reason: String::new(),
                progress: None,
            };
            put(&mut list, Arc::new(past));
        }
        let times: Vec<i64> = list.iter().map(|past| past.at).collect();
        assert_eq!(times.len(), MOST);
        assert_eq!((times.first(), times.last()), (Some(&19), Some(&8)));
    }
}
