//! The partitions of a topic.

use leptos::prelude::*;
use millrace_wire::connection::TopicDetail;

use crate::format::age::between;
use crate::format::number::{grouped, grouped_signed};
use crate::i18n::connections as text;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn PartitionsTab(detail: Signal<TopicDetail>) -> impl IntoView {
    let heads = vec![
        Head::number(text::partition()),
        Head::number(text::first()),
        Head::number(text::end()),
        Head::number(text::held()),
        Head::number(text::leader()),
        Head::number(text::replicas()),
    ];
    view! {
        <Table label=text::partitions() heads narrow=true>
            {move || detail.with(|detail| detail.partitions.iter().map(|partition| {
                let held = grouped(between(partition.low, partition.high));
                view! {
                    <tr>
                        <th scope="row" class="num cell-fit">{partition.partition}</th>
                        <td class="num cell-fit">{grouped_signed(partition.low)}</td>
                        <td class="num cell-fit">{grouped_signed(partition.high)}</td>
                        <td class="num cell-fit">{held}</td>
                        <td class="num cell-fit">{partition.leader}</td>
                        <td class="num cell-fit">{partition.replicas}</td>
                    </tr>
                }
            }).collect_view())}
        </Table>
    }
    .into_any()
}
