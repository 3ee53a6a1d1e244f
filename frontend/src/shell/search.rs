//! What the palette offers: pages and actions by their words, objects by the server's search.

use leptos::prelude::*;
use millrace_wire::page::Page;
use millrace_wire::search::SearchHit;

use super::Floats;
use super::side_menu::Place;
use crate::api;
use crate::format::text::matches;
use crate::i18n::shell as text;
use crate::rights::Right;
use crate::route::TeamRoute;
use crate::session::SessionState;
use crate::theme::{Density, Look, Theme};
use crate::ui::icon::Icon;

#[derive(Clone, PartialEq)]
pub(super) struct Offer {
    pub(super) group: &'static str,
    pub(super) icon: Icon,
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) act: OfferAct,
}

#[derive(Clone, PartialEq)]
pub(super) enum OfferAct {
    Go(String),
    Theme(Theme),
    Density(Density),
    Shortcuts,
}

/// Pages and actions whose words match.
pub(super) fn local(query: &str, session: SessionState, look: Look) -> Vec<Offer> {
    let team = session.team_now();
    let role = untrack(|| session.role().get());
    let go = |group, icon, title: &str, href: String| Offer {
        group,
        icon,
        title: title.to_owned(),
        detail: String::new(),
        act: OfferAct::Go(href),
    };
    let act = |icon, title: &str, act| Offer {
        group: text::group_actions(),
        icon,
        title: title.to_owned(),
        detail: String::new(),
        act,
    };
    let mut offers: Vec<Offer> = Place::GROUPS
        .iter()
        .flat_map(|group| group.iter())
        .map(|place| go(text::group_pages(), place.icon(), place.label(), place.route(&team).href()))
        .collect();
    if Right::Edit.is_in(role) {
        for (icon, title, route) in [
            (Icon::Tables, text::new_table(), TeamRoute::TableNew),
            (Icon::Connections, text::new_connection(), TeamRoute::ConnectionNew),
            (Icon::Editor, text::new_job(), TeamRoute::Editor(None)),
        ] {
            offers.push(go(text::group_actions(), icon, title, route.of(&team).href()));
        }
    }
    let dark = untrack(|| look.is_dark());
    let theme = if dark { (text::theme_light(), Theme::Light) } else { (text::theme_dark(), Theme::Dark) };
    offers.push(act(Icon::Theme, theme.0, OfferAct::Theme(theme.1)));
    let density = match look.density.get_untracked() {
        Density::Compact => (text::density_comfortable(), Density::Comfortable),
        Density::Comfortable => (text::density_compact(), Density::Compact),
    };
    offers.push(act(Icon::Columns, density.0, OfferAct::Density(density.1)));
    offers.push(act(Icon::Help, text::show_shortcuts(), OfferAct::Shortcuts));
    offers.retain(|offer| matches(&offer.title, query));
    offers
}

/// Objects of the team, by the server.
pub(super) async fn remote(team: &str, query: &str) -> Vec<Offer> {
    let path = api::path::with_query(&api::path::team(team, "search"), &[("q", query)]);
    match api::get::<Page<SearchHit>>(&path).await {
        Ok(page) => page.items.into_iter().map(of_hit).collect(),
        // The palette stays of use without the server.
        Err(_) => Vec::new(),
    }
}

fn of_hit(hit: SearchHit) -> Offer {
    let icon = match hit.kind.as_str() {
        "table" => Icon::Tables,
        "column" => Icon::Columns,
        "job" => Icon::Jobs,
        "connection" => Icon::Connections,
        "function" => Icon::Functions,
        _ => Icon::Database,
    };
    Offer { group: text::group_objects(), icon, title: hit.title, detail: hit.detail, act: OfferAct::Go(hit.href) }
}

pub(super) fn perform(act: &OfferAct, floats: Floats, look: Look, address: crate::address::Address) {
    match act {
        OfferAct::Go(href) => address.go_to(href),
        OfferAct::Theme(theme) => look.theme.set(*theme),
        OfferAct::Density(density) => look.density.set(*density),
        OfferAct::Shortcuts => floats.shortcuts.set(true),
    }
}
