//! Schema versions of the table, and what differs between any two of them.

use leptos::prelude::*;
use millrace_wire::page::Page;
use millrace_wire::table::Table as TableOf;
use millrace_wire::table_version::{SchemaDiff, SchemaVersionSummary};

use crate::address::use_address;
use crate::api;
use crate::i18n::table_versions as text;
use crate::load::load;
use crate::ui::age::Ago;
use crate::ui::callout::{Callout, Notice};
use crate::ui::panel::Panel;
use crate::ui::select_field::SelectField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::widget::schema_change::ChangeTable;
use crate::widget::sql_diff::SqlDiff;

#[component]
pub(super) fn VersionsPanel(path: String, table: Signal<TableOf>) -> impl IntoView {
    let revision = Memo::new(move |_| table.with(|table| table.revision));
    let list = path.clone();
    let versions = load(
        move || revision.get(),
        move |_| {
            let path = api::path::with_query(&format!("{list}/versions"), &[("limit", "500")]);
            async move { api::get::<Page<SchemaVersionSummary>>(&path).await }
        },
    );
    view! {
        {versions.show(Shape::Rows(4), move |versions| {
            let heads = vec![
                Head::number(text::version()),
                Head::text(text::comment()),
                Head::text(text::by()).fit(),
                Head::number(text::saved()),
            ];
            let path = path.clone();
            view! {
                <Panel title=text::versions().to_owned() count=Signal::derive(move || Some(versions.with(|page| page.total.to_string())))>
                    <Table label=text::versions() heads compact=true>
                        {move || versions.get().items.into_iter().map(row).collect_view()}
                    </Table>
                </Panel>
                <Compare path versions/>
            }
            .into_any()
        })}
    }
    .into_any()
}

fn row(version: SchemaVersionSummary) -> AnyView {
    view! {
        <tr>
            <th scope="row" class="num">{version.number}</th>
            <td class="muted cell-clip" title=version.comment.clone()>{version.comment.clone()}</td>
            <td class="cell-fit">{version.created_by}</td>
            <td class="num cell-fit subtle"><Ago at=version.created_at/></td>
        </tr>
    }
    .into_any()
}

/// The newest with the one before it, unless the address names others.
#[component]
fn Compare(path: String, versions: Signal<Page<SchemaVersionSummary>>) -> impl IntoView {
    let address = use_address();
    let nth = move |place: usize| {
        versions.with_untracked(|page| {
            let version = page.items.get(place).or(page.items.first());
            version.map(|version| version.number.to_string()).unwrap_or_default()
        })
    };
    let from = RwSignal::new(address.query("from").get_untracked().unwrap_or_else(|| nth(1)));
    let to = RwSignal::new(address.query("to").get_untracked().unwrap_or_else(|| nth(0)));
    Effect::new(move |before: Option<()>| {
        let (from, to) = (from.get(), to.get());
        if before.is_some() {
            address.set_query("from", Some(&from));
            address.set_query("to", Some(&to));
        }
    });
    let options = Signal::derive(move || {
        versions.with(|page| {
            let option =
                |version: &SchemaVersionSummary| (version.number.to_string(), text::version_name(version.number));
            page.items.iter().map(option).collect::<Vec<_>>()
        })
    });
    let diff = load(
        move || (from.get(), to.get()),
        move |(from, to)| {
            let path = api::path::with_query(&format!("{path}/diff"), &[("from", &from), ("to", &to)]);
            async move { api::get::<SchemaDiff>(&path).await }
        },
    );
    view! {
        <Panel title=text::compare().to_owned()>
            <div class="compare-choice">
                <SelectField label=text::from().to_owned() value=from options/>
                <SelectField label=text::to().to_owned() value=to options/>
            </div>
            {diff.show(Shape::Lines(8), |diff| (move || drawn(diff.get())).into_any())}
        </Panel>
    }
    .into_any()
}

fn drawn(diff: SchemaDiff) -> AnyView {
    let SchemaDiff { from, to, changes, backward, forward, from_ddl, to_ddl } = diff;
    let verdict = |title: &'static str, reasons: Vec<String>| {
        (!reasons.is_empty()).then(|| {
            let reasons = reasons.into_iter().map(|reason| view! { <li>{reason}</li> }).collect_view();
            view! { <Callout notice=Notice::Warn title=title><ul>{reasons}</ul></Callout> }
        })
    };
    let compatible = backward.is_empty() && forward.is_empty();
    view! {
        {if changes.is_empty() {
            view! { <p class="subtle rail-note">{text::same()}</p> }.into_any()
        } else {
            view! { <ChangeTable changes/> }.into_any()
        }}
        {compatible.then(|| view! { <p class="good rail-note">{text::compatible()}</p> })}
        {verdict(text::not_backward(), backward)}
        {verdict(text::not_forward(), forward)}
        <SqlDiff left_name=text::version_name(from) left=from_ddl right_name=text::version_name(to) right=to_ddl/>
    }
    .into_any()
}
