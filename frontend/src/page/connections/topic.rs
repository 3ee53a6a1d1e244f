//! One topic: its messages, its partitions, and who reads it.

mod message;
mod messages;
mod partitions;

use leptos::prelude::*;
use millrace_wire::connection::{Connection, TopicDetail};
use millrace_wire::ids::ConnectionId;

use super::connection::GroupTable;
use crate::address::use_address;
use crate::api;
use crate::api::path::with_query;
use crate::format::number::counted;
use crate::format::percent;
use crate::i18n::connections as text;
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::route::{ConnectionTab, Route, TeamRoute, TopicTab};
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton::Shape;
use crate::ui::tabs::{Tab, Tabs};

#[component]
pub fn TopicPage(team: String, connection: ConnectionId, topic: String) -> impl IntoView {
    let connection_path = api::path::team(&team, &format!("connections/{connection}"));
    let path = format!("{connection_path}/topics/{}", percent::encode(&topic));
    let asked = path.clone();
    let loaded = load(
        || (),
        move |()| {
            let (path, connection_path) = (asked.clone(), connection_path.clone());
            async move {
                let connection = api::get::<Connection>(&connection_path).await?;
                Ok((connection, api::get::<TopicDetail>(&path).await?))
            }
        },
    );
    let route = use_address().route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Team(_, TeamRoute::Topic(_, _, tab)) => tab,
        _ => TopicTab::Messages,
    });
    loaded.show(Shape::Page, move |found| {
        let (team, path) = (team.clone(), path.clone());
        let detail = Signal::derive(move || found.with(|(_, detail)| detail.clone()));
        let groups = Signal::derive(move || found.with(|(_, detail)| detail.groups.clone()));
        let name = untrack(|| found.with(|(connection, _)| connection.name.clone()));
        let list = TeamRoute::Connections.of(&team).href();
        let above = TeamRoute::Connection(connection, ConnectionTab::Topics).of(&team).href();
        let steps = vec![(text::title().to_owned(), list), (name, above)];
        let describe = with_query(
            &TeamRoute::TableNew.of(&team).href(),
            &[("connection", &connection.to_string()), ("topic", &topic)],
        );
        let partitions = move || detail.with(|detail| counted(detail.partitions.len() as u64, "partition", "partitions"));
        view! {
            <PageHead
                title=topic.clone()
                steps=steps
                beside=move || view! { <span class="subtle">{partitions}</span> }
                actions=move || view! {
                    <LinkButton small=true icon=Icon::Tables href=describe.clone() reason=refusal(Right::Edit)>{text::describe()}</LinkButton>
                }
            />
            <TopicTabs team=team.clone() connection topic=topic.clone() detail tab/>
            <div class="page">
                {move || match tab.get() {
                    TopicTab::Messages => view! { <messages::MessagesTab path=path.clone() detail/> }.into_any(),
                    TopicTab::Partitions => view! { <partitions::PartitionsTab detail/> }.into_any(),
                    TopicTab::Groups => view! { <GroupTable team=team.clone() groups/> }.into_any(),
                }}
            </div>
        }
        .into_any()
    })
}

#[component]
fn TopicTabs(
    team: String,
    connection: ConnectionId,
    topic: String,
    detail: Signal<TopicDetail>,
    tab: Memo<TopicTab>,
) -> impl IntoView {
    let tabs = Signal::derive(move || {
        let (partitions, groups) = detail.with(|detail| (detail.partitions.len(), detail.groups.len()));
        TopicTab::ALL
            .iter()
            .map(|known| {
                let (label, count) = match known {
                    TopicTab::Messages => (text::messages(), None),
                    TopicTab::Partitions => (text::partitions(), Some(partitions.to_string())),
                    TopicTab::Groups => (text::groups(), Some(groups.to_string())),
                };
                Tab {
                    label: label.to_owned(),
                    href: TeamRoute::Topic(connection, topic.clone(), *known).of(&team).href(),
                    count,
                    bad: false,
                    current: tab.get() == *known,
                }
            })
            .collect::<Vec<_>>()
    });
    view! { <Tabs label=text::topic() tabs/> }.into_any()
}
