//! The columns as the planner sees them.

use leptos::prelude::*;
use millrace_wire::table::{ColumnKind, ResolvedColumn, Table as TableOf};

use crate::i18n::tables as text;
use crate::ui::badge::Badge;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn SchemaPanel(table: Signal<TableOf>) -> impl IntoView {
    let columns = Memo::new(move |_| table.with(|table| table.resolved.clone()));
    let sources = Memo::new(move |_| {
        table.with(|table| {
            table.draft.columns.iter().map(|column| (column.name.clone(), column.source.clone())).collect::<Vec<_>>()
        })
    });
    let source_of = move |name: &str| {
        sources.with(|all| all.iter().find(|(known, _)| known == name).and_then(|(_, source)| source.clone()))
    };
    view! {
        <Panel title=text::schema().to_owned() count=Signal::derive(move || Some(columns.with(Vec::len).to_string()))>
            <ColumnTable columns=Signal::derive(move || columns.get()) source_of=Callback::new(move |name: String| source_of(&name))/>
        </Panel>
    }
    .into_any()
}

/// Used by the form too, for columns that a connector fixes.
#[component]
pub fn ColumnTable(
    #[prop(into)] columns: Signal<Vec<ResolvedColumn>>,
    /// The expression or metadata key of a column.
    #[prop(optional, into)]
    source_of: Option<Callback<String, Option<String>>>,
) -> impl IntoView {
    let heads = vec![
        Head::number("#"),
        Head::text(text::column()).fit(),
        Head::text(text::type_()).fit(),
        Head::text(text::comment()),
    ];
    view! {
        <Table label=text::columns() heads compact=true>
            {move || columns.get().into_iter().enumerate().map(|(index, column)| {
                let source = source_of.and_then(|source_of| source_of.run(column.name.clone()));
                view! {
                    <tr>
                        <td class="num subtle">{index + 1}</td>
                        <th scope="row" class="cell-fit"><span class="row">{column.name.clone()}{badges(&column, source)}</span></th>
                        <td class="code muted cell-fit">{column.data_type.clone()}</td>
                        <td class="muted cell-clip" title=column.comment.clone()>{column.comment.clone()}</td>
                    </tr>
                }
            }).collect_view()}
        </Table>
    }
    .into_any()
}

fn badges(column: &ResolvedColumn, source: Option<String>) -> AnyView {
    view! {
        {column.event_time.then(|| view! { <Badge icon=Icon::Clock>{text::event_time()}</Badge> })}
        {column.key.then(|| view! { <Badge icon=Icon::Key>{text::key()}</Badge> })}
        {match column.kind {
            ColumnKind::Physical => None,
            ColumnKind::Computed => Some(text::computed()),
            ColumnKind::Metadata => Some(text::metadata()),
        }.map(|words| view! { <Badge>{words}</Badge> })}
        {source.map(|source| view! { <span class="code subtle truncate" title=source.clone()>{source.clone()}</span> })}
    }
    .into_any()
}
