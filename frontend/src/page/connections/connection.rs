//! One connection: its topics, its consumer groups, its properties.

mod groups;
mod new_topic;
mod objects;
mod properties;
mod topics;

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionKind};
use millrace_wire::ids::ConnectionId;
use millrace_wire::live::LiveEvent;

use super::{marks, place_of};
use crate::address::use_address;
use crate::api::{self, Failure};
use crate::format::number::counted;
use crate::i18n::{connections as text, rights as right_text, words};
use crate::live::use_live;
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::route::{ConnectionTab, Route, TeamRoute};
use crate::ui::callout::{Callout, Notice};
use crate::ui::confirm::Confirm;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::page_head::PageHead;
use crate::ui::skeleton::Shape;
use crate::ui::tabs::{Tab, Tabs};
use crate::ui::toast::use_toasts;
pub(super) use groups::GroupTable;

#[component]
pub fn ConnectionPage(team: String, connection: ConnectionId) -> impl IntoView {
    let path = api::path::team(&team, &format!("connections/{connection}"));
    let own = path.clone();
    let loaded = load(
        || (),
        move |()| {
            let path = own.clone();
            async move { api::get::<Connection>(&path).await }
        },
    );
    use_live().on(move |event| {
        if matches!(event, LiveEvent::ConnectionsChanged | LiveEvent::Broker { .. } | LiveEvent::Reset) {
            loaded.reload();
        }
    });
    let route = use_address().route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Team(_, TeamRoute::Connection(_, tab)) => tab,
        _ => ConnectionTab::Topics,
    });
    loaded.show(Shape::Page, move |connection| {
        let (team, path) = (team.clone(), path.clone());
        let id = untrack(|| connection.with(|connection| connection.id));
        let demo = Memo::new(move |_| connection.with(|connection| connection.demo));
        let kind = untrack(|| connection.with(|connection| connection.kind));
        let is_cluster = kind == ConnectionKind::Kafka;
        view! {
            <Head team=team.clone() path=path.clone() connection/>
            <ConnectionTabs team=team.clone() id kind tab/>
            <div class="page">
                {move || demo.get().then(|| view! {
                    <div class="page-notice"><Callout notice=Notice::Warn title=text::demo_title()><p>{text::demo_body()}</p></Callout></div>
                })}
                {move || match tab.get() {
                    tab if !has_tab(kind, ConnectionTab::Topics) || tab == ConnectionTab::Properties => {
                        view! { <properties::PropertiesTab path=path.clone() connection/> }.into_any()
                    }
                    ConnectionTab::Topics | ConnectionTab::Groups if !is_cluster => {
                        view! { <objects::ObjectsTab team=team.clone() path=path.clone() connection/> }.into_any()
                    }
                    ConnectionTab::Topics => view! { <topics::TopicsTab team=team.clone() path=path.clone() id/> }.into_any(),
                    _ => view! { <groups::GroupsTab team=team.clone() path=path.clone()/> }.into_any(),
                }}
            </div>
        }
        .into_any()
    })
}

/// Only clusters have groups; and what there is to see behind some is nothing.
fn has_tab(kind: ConnectionKind, tab: ConnectionTab) -> bool {
    match tab {
        ConnectionTab::Topics => {
            !matches!(kind, ConnectionKind::ObjectStore | ConnectionKind::Smtp | ConnectionKind::Http)
        }
        ConnectionTab::Groups => kind == ConnectionKind::Kafka,
        ConnectionTab::Properties => true,
    }
}

#[component]
fn ConnectionTabs(team: String, id: ConnectionId, kind: ConnectionKind, tab: Memo<ConnectionTab>) -> impl IntoView {
    let tabs = Signal::derive(move || {
        ConnectionTab::ALL
            .iter()
            .filter(|known| has_tab(kind, **known))
            .map(|known| Tab {
                label: match known {
                    ConnectionTab::Topics => match kind {
                        ConnectionKind::Kafka => text::topics(),
                        ConnectionKind::SchemaRegistry => text::subjects(),
                        _ => text::objects(),
                    },
                    ConnectionTab::Groups => text::groups(),
                    ConnectionTab::Properties => text::properties(),
                }
                .to_owned(),
                href: TeamRoute::Connection(id, *known).of(&team).href(),
                count: None,
                bad: false,
                current: tab.get() == *known || !has_tab(kind, ConnectionTab::Topics),
            })
            .collect::<Vec<_>>()
    });
    view! { <Tabs label=text::title() tabs/> }.into_any()
}

#[component]
fn Head(team: String, path: String, connection: Signal<Connection>) -> impl IntoView {
    let address = use_address();
    let toasts = use_toasts();
    let name = Signal::derive(move || connection.with(|connection| connection.name.clone()));
    let list = TeamRoute::Connections.of(&team).href();
    let steps = vec![(text::title().to_owned(), list.clone())];
    let no_edit = refusal(Right::Edit);
    let reason = Signal::derive(move || {
        let built_in = connection.with(|connection| connection.built_in);
        if built_in { Some(right_text::built_in().to_owned()) } else { no_edit.get() }
    });
    let in_use = Signal::derive(move || {
        let tables = connection.with(|connection| connection.tables);
        reason.get().or_else(|| (tables > 0).then(|| text::used_by_tables(counted(tables, "table", "tables"))))
    });
    let edit = {
        let team = team.clone();
        Signal::derive(move || TeamRoute::ConnectionEdit(connection.with(|connection| connection.id)).of(&team).href())
    };
    let deleting = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let items = Signal::derive(move || {
        vec![MenuItem::run(words::delete(), Some(Icon::Trash), move || deleting.set(true)).unless(in_use.get())]
    });
    let confirm = Callback::new(move |()| {
        busy.set(true);
        failure.set(None);
        let (path, list, deleted) = (path.clone(), list.clone(), text::deleted(name.get_untracked()));
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    deleting.set(false);
                    toasts.good(deleted);
                    address.go_to(&list);
                }
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    });
    let addresses = move || connection.with(place_of);
    view! {
        <PageHead
            title=name
            steps=steps
            beside=move || view! { {move || connection.with(marks)} }
            note=move || view! {
                <span class="code">{addresses}</span>" "
                // That of the demo broker says what the notice below says.
                {move || connection.with(|connection| (!connection.demo).then(|| connection.description.clone()))}
            }
            actions=move || view! {
                <LinkButton small=true icon=Icon::Settings href=edit reason=reason>{words::edit()}</LinkButton>
                <Menu label=words::more_actions().to_owned() items>{Icon::More.view()}</Menu>
            }
        />
        <Confirm
            open=deleting
            title=Signal::derive(move || text::delete_title(name.get()))
            action=words::delete()
            busy=busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            on_confirm=confirm
            consequences=Signal::derive(|| vec![text::delete_body().to_owned()])
        />
    }
    .into_any()
}
