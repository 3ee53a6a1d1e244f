//! What differs between two descriptions of a table, one line for each thing.

use leptos::prelude::*;
use millrace_wire::table_version::{SchemaChange, SchemaChangeKind};

use crate::i18n::table_versions as text;
use crate::ui::table::{Head, Table};

#[component]
pub fn ChangeTable(changes: Vec<SchemaChange>) -> impl IntoView {
    let heads = vec![
        Head::text(text::what()).fit(),
        Head::text(text::change()).fit(),
        Head::text(text::before()),
        Head::text(text::after()),
    ];
    view! {
        <Table label=text::changes() heads compact=true>
            {changes.into_iter().map(|change| view! {
                <tr>
                    <th scope="row" class="cell-fit code">{if change.name.is_empty() { text::whole_table().to_owned() } else { change.name }}</th>
                    <td class="cell-fit">{kind_words(change.kind)}</td>
                    <td class="code cell-clip" title=change.before.clone()><del>{change.before.clone()}</del></td>
                    <td class="code cell-clip" title=change.after.clone()><ins>{change.after.clone()}</ins></td>
                </tr>
            }).collect_view()}
        </Table>
    }
    .into_any()
}

fn kind_words(kind: SchemaChangeKind) -> &'static str {
    match kind {
        SchemaChangeKind::ColumnAdded => text::column_added(),
        SchemaChangeKind::ColumnRemoved => text::column_removed(),
        SchemaChangeKind::TypeChanged => text::type_changed(),
        SchemaChangeKind::NullabilityChanged => text::nullability_changed(),
        SchemaChangeKind::SourceChanged => text::source_changed(),
        SchemaChangeKind::OrderChanged => text::order_changed(),
        SchemaChangeKind::CommentChanged => text::comment_changed(),
        SchemaChangeKind::KeyChanged => text::key_changed(),
        SchemaChangeKind::EventTimeChanged => text::event_time_changed(),
        SchemaChangeKind::OptionChanged => text::option_changed(),
    }
}
