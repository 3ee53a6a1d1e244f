//! Consumer groups with their lag, in all and per partition.

use leptos::prelude::*;
use millrace_wire::connection::{ConsumerGroup, GroupPartition};

use crate::format::number::{grouped, grouped_signed};
use crate::i18n::connections as text;
use crate::load::load_all;
use crate::route::{JobTab, TeamRoute};
use crate::ui::badge::Badge;
use crate::ui::empty_state::EmptyState;
use crate::ui::figure::Figure;
use crate::ui::icon::Icon;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn GroupsTab(team: String, path: String) -> impl IntoView {
    let groups = load_all::<ConsumerGroup>(format!("{path}/groups"));
    groups.show(Shape::Rows(5), move |groups| view! { <GroupTable team=team.clone() groups/> }.into_any())
}

/// The page of a topic shows its groups the same way.
#[component]
pub fn GroupTable(team: String, groups: Signal<Vec<ConsumerGroup>>) -> impl IntoView {
    let heads = || {
        vec![
            Head::text(text::group()),
            Head::text(text::job()).fit(),
            Head::text(text::state()).fit(),
            Head::number(text::members()),
            Head::number(text::lag()),
        ]
    };
    (move || {
        if groups.with(Vec::is_empty) {
            return view! { <EmptyState icon=Icon::User title=text::no_groups() body=text::no_groups_body()/> }
                .into_any();
        }
        let rows: Vec<AnyView> = groups.get().into_iter().map(|group| rows_of(&team, group)).collect();
        view! { <Table label=text::groups() heads=heads()>{rows}</Table> }.into_any()
    })
    .into_any()
}

fn rows_of(team: &str, group: ConsumerGroup) -> AnyView {
    let open = RwSignal::new(false);
    let job = match group.job {
        Some(job) => {
            let href = TeamRoute::Job(job.id, JobTab::Overview).of(team).href();
            view! { <a class="link" href=href>{job.name}</a> }.into_any()
        }
        None => view! { <span class="subtle">{text::other_program()}</span> }.into_any(),
    };
    let partitions = StoredValue::new(group.partitions);
    let lag = group.lag as f64;
    view! {
        <tr>
            <th scope="row">
                <button type="button" class="disclose" aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|open| *open = !*open)>
                    {move || if open.get() { Icon::Down.small() } else { Icon::Right.small() }}
                    <span class="truncate">{group.group}</span>
                </button>
            </th>
            <td class="cell-fit">{job}</td>
            <td class="cell-fit"><Badge>{group.state}</Badge></td>
            <td class="num cell-fit">{group.members}</td>
            <td class="num cell-fit"><Figure value=Some(lag)/></td>
        </tr>
        {move || open.get().then(|| view! {
            <tr class="detail-row"><td colspan="5">{partition_table(partitions.get_value())}</td></tr>
        })}
    }
    .into_any()
}

fn partition_table(partitions: Vec<GroupPartition>) -> AnyView {
    let heads = vec![
        Head::text(text::topic()),
        Head::number(text::partition()),
        Head::number(text::committed()),
        Head::number(text::end()),
        Head::number(text::lag()),
    ];
    let rows: Vec<AnyView> = partitions
        .into_iter()
        .map(|at| {
            view! {
                <tr>
                    <th scope="row">{at.topic}</th>
                    <td class="num cell-fit">{at.partition}</td>
                    <td class="num cell-fit">{grouped_signed(at.committed)}</td>
                    <td class="num cell-fit">{grouped_signed(at.high)}</td>
                    <td class="num cell-fit">{grouped(at.lag)}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    view! { <Table label=text::partitions() heads compact=true>{rows}</Table> }.into_any()
}
