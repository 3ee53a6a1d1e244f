//! Errors of the same kind: how often, since when, in which versions.

use leptos::prelude::*;
use millrace_wire::log_search::LogGroup;
use millrace_wire::page::Page;

use super::question::{Question, ask};
use crate::address::use_address;
use crate::api;
use crate::format::number::grouped;
use crate::i18n::logs as text;
use crate::load::load;
use crate::ui::age::Ago;
use crate::ui::empty_state::EmptyState;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn Groups(team: StoredValue<String>, question: Memo<Question>) -> impl IntoView {
    let groups = load(
        move || question.get(),
        move |question| {
            let path = team.with_value(|team| question.path(team, "/groups", &[]));
            async move { api::get::<Page<LogGroup>>(&path).await.map(|page| page.items) }
        },
    );
    groups.show(Shape::Rows(6), move |groups| {
        (move || {
            let groups = groups.get();
            if groups.is_empty() {
                return view! { <EmptyState title=text::no_groups() body=text::no_groups_body()/> }.into_any();
            }
            let heads = vec![
                Head::text(text::message()),
                Head::text(text::job_name()).fit(),
                Head::number(text::count()),
                Head::number(text::total()),
                Head::number(text::first_seen()),
                Head::number(text::last_seen()),
                Head::text(text::versions()).fit(),
            ];
            view! { <Table label=text::groups() heads>{groups.into_iter().map(row).collect_view()}</Table> }.into_any()
        })
        .into_any()
    })
}

fn row(group: LogGroup) -> AnyView {
    let address = use_address();
    let versions: Vec<String> = group
        .versions
        .iter()
        .map(|(version, count)| {
            let name = if version.is_empty() { text::unknown_version().to_owned() } else { format!("v{version}") };
            format!("{name}: {}", grouped(*count))
        })
        .collect();
    let query = format!("group:{}", group.group);
    let show = move |_| {
        address.set_query("view", None);
        ask(address, &query);
    };
    view! {
        <tr>
            <th scope="row"><button type="button" class="link-button log-group" title=group.message.clone() on:click=show>{group.message.clone()}</button></th>
            <td class="cell-fit">{group.job_name}</td>
            <td class="num">{grouped(group.count)}</td>
            <td class="num">{grouped(group.total)}</td>
            <td class="num cell-fit subtle"><Ago at=group.first_seen/></td>
            <td class="num cell-fit subtle"><Ago at=group.last_seen/></td>
            <td class="cell-fit subtle">{versions.join(", ")}</td>
        </tr>
    }
    .into_any()
}
