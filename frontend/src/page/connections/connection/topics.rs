//! The topics of the cluster, with the tables that describe them.

use std::cmp::Ordering;

use leptos::prelude::*;
use millrace_wire::connection::Topic;
use millrace_wire::ids::ConnectionId;

use super::new_topic::NewTopicDialog;
use crate::address::use_address;
use crate::api::path::with_query;
use crate::format::number::grouped;
use crate::format::text::matches;
use crate::i18n::{connections as text, words};
use crate::load::load_all;
use crate::rights::{Right, may, refusal};
use crate::route::{TableTab, TeamRoute, TopicTab};
use crate::ui::badge::Badge;
use crate::ui::button::{Button, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::figure::Figure;
use crate::ui::icon::Icon;
use crate::ui::order::{Order, by_words};
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn TopicsTab(team: String, path: String, id: ConnectionId) -> impl IntoView {
    let address = use_address();
    let topics_path = format!("{path}/topics");
    let topics = load_all::<Topic>(topics_path.clone());
    let query = address.query("q");
    let internal = address.query("internal");
    let with_internal = Memo::new(move |_| internal.get().is_some());
    let shown = Memo::new(move |_| {
        let words = query.get().unwrap_or_default();
        topics
            .with(|all| {
                let fits = |topic: &&Topic| (with_internal.get() || !topic.internal) && is_hit(topic, &words);
                all.iter().filter(fits).cloned().collect::<Vec<_>>()
            })
            .unwrap_or_default()
    });
    let order = address.order();
    let ordered = move || {
        let mut topics = shown.get();
        order.sort(&mut topics, compare);
        topics
    };
    let making = RwSignal::new(false);
    let count = move || topics.with(|all| words::shown_of(shown.with(Vec::len), all.len()));
    view! {
        <div class="filters filters-inset">
            <SearchField
                label=text::search_topics()
                value=Signal::derive(move || query.get().unwrap_or_default())
                on_input=move |words: String| address.set_query("q", Some(&words))
            />
            <label class="check">
                <input type="checkbox" prop:checked=move || with_internal.get()
                    on:change=move |event| address.set_query("internal", event_target_checked(&event).then_some("1"))/>
                {text::show_internal()}
            </label>
            <span class="filters-end">{count}</span>
            <Button small=true icon=Icon::Restart kind=Kind::Quiet busy=topics.busy() on_press=move |()| topics.reload()>{text::read_again()}</Button>
            <Button small=true icon=Icon::Plus reason=refusal(Right::Edit) on_press=move |()| making.set(true)>{text::new_topic()}</Button>
        </div>
        {topics.show(Shape::Rows(8), move |all| {
            let team = team.clone();
            (move || if all.with(Vec::is_empty) {
                view! { <EmptyState icon=Icon::Topic title=text::no_topics() body=text::no_topics_body()/> }.into_any()
            } else if shown.with(Vec::is_empty) {
                view! {
                    <EmptyState icon=Icon::Search title=words::no_match() body=words::no_match_body()>
                        <Button on_press=move |()| address.set_query("q", None)>{words::clear_filter()}</Button>
                    </EmptyState>
                }
                .into_any()
            } else {
                list(&team, id, ordered(), order)
            })
            .into_any()
        })}
        <NewTopicDialog open=making path=topics_path topics/>
    }
    .into_any()
}

fn is_hit(topic: &Topic, words: &str) -> bool {
    let tables: String = topic.tables.iter().map(|table| format!(" {}", table.name)).collect();
    matches(&format!("{}{tables}", topic.name), words)
}

fn compare(column: &str, a: &Topic, b: &Topic) -> Ordering {
    let by_column = match column {
        "partitions" => b.partitions.cmp(&a.partitions),
        "messages" => b.messages.cmp(&a.messages),
        _ => Ordering::Equal,
    };
    by_column.then_with(|| by_words(&a.name, &b.name))
}

fn list(team: &str, id: ConnectionId, topics: Vec<Topic>, order: Order) -> AnyView {
    let heads = vec![
        Head::text(text::topic()).fit().sorts("name"),
        Head::number(text::partitions()).sorts("partitions"),
        Head::number(text::messages()).sorts("messages"),
        Head::text(text::described_by()),
        Head::text(text::describe()).silent().fit(),
    ];
    let rows: Vec<AnyView> = topics.into_iter().map(|topic| row(team, id, topic)).collect();
    view! { <Table label=text::topics() heads sticky=true order>{rows}</Table> }.into_any()
}

fn row(team: &str, id: ConnectionId, topic: Topic) -> AnyView {
    let href = TeamRoute::Topic(id, topic.name.clone(), TopicTab::Messages).of(team).href();
    let describe =
        with_query(&TeamRoute::TableNew.of(team).href(), &[("connection", &id.to_string()), ("topic", &topic.name)]);
    let may_edit = may(Right::Edit);
    let tables: Vec<AnyView> = topic
        .tables
        .into_iter()
        .map(|table| {
            let href = TeamRoute::Table(table.id, TableTab::Schema).of(team).href();
            view! { <a class="link" href=href>{table.name}</a>" " }.into_any()
        })
        .collect();
    let messages = topic.messages as f64;
    view! {
        <tr>
            <th scope="row" class="cell-fit">
                <span class="row"><a href=href>{topic.name}</a>{topic.internal.then(|| view! { <Badge>{text::internal()}</Badge> })}</span>
            </th>
            <td class="num cell-fit">{grouped(u64::from(topic.partitions))}</td>
            <td class="num cell-fit"><Figure value=Some(messages)/></td>
            <td class="cell-clip">{tables}</td>
            <td class="cell-fit">{move || may_edit.get().then(|| view! { <a class="link small" href=describe.clone()>{text::describe()}</a> })}</td>
        </tr>
    }
    .into_any()
}
