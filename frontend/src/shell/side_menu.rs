//! The side menu: four groups told apart by space only.

use leptos::prelude::*;

use super::fold::Fold;
use crate::address::use_address;
use crate::i18n::shell as text;
use crate::inbox::use_inbox;
use crate::route::{AccessTab, FunctionsTab, Route, TeamRoute};
use crate::session::use_session;
use crate::ui::icon::Icon;

/// Pages of one menu entry share it: a table belongs to "Tables".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Overview,
    Editor,
    Jobs,
    Tables,
    Catalogue,
    Connections,
    Functions,
    Variables,
    Logs,
    Access,
    Settings,
}

impl Place {
    pub(super) const GROUPS: &'static [&'static [Place]] = &[
        &[Place::Overview],
        &[Place::Editor],
        &[Place::Jobs],
        &[Place::Tables, Place::Catalogue, Place::Connections, Place::Functions, Place::Variables],
        &[Place::Logs],
        &[Place::Access, Place::Settings],
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Place::Overview => text::overview(),
            Place::Editor => text::editor(),
            Place::Jobs => text::jobs(),
            Place::Tables => text::tables(),
            Place::Catalogue => text::catalogue(),
            Place::Connections => text::connections(),
            Place::Functions => text::functions(),
            Place::Variables => text::variables(),
            Place::Logs => text::logs(),
            Place::Access => text::access(),
            Place::Settings => text::settings(),
        }
    }

    pub(super) fn icon(self) -> Icon {
        match self {
            Place::Overview => Icon::Overview,
            Place::Editor => Icon::Editor,
            Place::Jobs => Icon::Jobs,
            Place::Tables => Icon::Tables,
            Place::Catalogue => Icon::List,
            Place::Connections => Icon::Connections,
            Place::Functions => Icon::Functions,
            Place::Variables => Icon::Tag,
            Place::Logs => Icon::Logs,
            Place::Access => Icon::Access,
            Place::Settings => Icon::Settings,
        }
    }

    pub(super) fn route(self, team: &str) -> Route {
        match self {
            Place::Overview => TeamRoute::Overview.of(team),
            Place::Editor => TeamRoute::Editor(None).of(team),
            Place::Jobs => TeamRoute::Jobs.of(team),
            Place::Tables => TeamRoute::Tables.of(team),
            Place::Catalogue => TeamRoute::Catalogue.of(team),
            Place::Connections => TeamRoute::Connections.of(team),
            Place::Functions => TeamRoute::Functions(FunctionsTab::Own).of(team),
            Place::Variables => TeamRoute::Variables.of(team),
            Place::Logs => TeamRoute::Logs.of(team),
            Place::Access => TeamRoute::Access(AccessTab::Members).of(team),
            Place::Settings => Route::Settings,
        }
    }

    fn of(route: &Route) -> Option<Place> {
        Some(match route {
            Route::Settings | Route::Organisation(..) => Place::Settings,
            Route::Team(_, inner) => match inner {
                TeamRoute::Overview => Place::Overview,
                TeamRoute::Editor(_) => Place::Editor,
                TeamRoute::Jobs | TeamRoute::JobsBin | TeamRoute::Job(..) => Place::Jobs,
                TeamRoute::Tables
                | TeamRoute::TableNew
                | TeamRoute::TableImport
                | TeamRoute::Table(..)
                | TeamRoute::TableEdit(_) => Place::Tables,
                TeamRoute::Catalogue => Place::Catalogue,
                TeamRoute::Connections
                | TeamRoute::ConnectionNew
                | TeamRoute::Connection(..)
                | TeamRoute::ConnectionEdit(_)
                | TeamRoute::Topic(..) => Place::Connections,
                TeamRoute::Functions(_) | TeamRoute::Function(..) => Place::Functions,
                TeamRoute::Variables => Place::Variables,
                TeamRoute::Logs => Place::Logs,
                TeamRoute::Access(_) => Place::Access,
            },
            _ => return None,
        })
    }
}

#[component]
pub(super) fn SideMenu() -> impl IntoView {
    let route = use_address().route();
    let team = use_session().team();
    let fold = expect_context::<Fold>();
    let here = Memo::new(move |_| Place::of(&route.get()));
    let to_decide = use_inbox().to_decide();
    let last = Place::GROUPS.len() - 1;
    let entry = move |place: Place| {
        view! {
            <li>
                <a
                    href=move || place.route(&team.get()).href()
                    aria-current=move || (here.get() == Some(place)).then_some("page")
                    title=move || fold.is_folded().then(|| place.label())
                >
                    {place.icon().view()}
                    <span class="menu-label">{place.label()}</span>
                    {move || (place == Place::Access && to_decide.get() > 0).then(|| view! {
                        <span class="menu-count" title=text::to_decide(to_decide.get())>{to_decide.get()}</span>
                    })}
                </a>
            </li>
        }
    };
    let fold_label = move || if fold.is_folded() { text::unfold() } else { text::fold() };
    view! {
        <nav class="menu" aria-label=text::main_menu()>
            {Place::GROUPS.iter().enumerate().map(|(index, group)| view! {
                <ul class=(index == last).then_some("menu-foot")>
                    {group.iter().map(|place| entry(*place)).collect_view()}
                    {(index == last).then(|| view! {
                        <li>
                            <button type="button" aria-expanded=move || (!fold.is_folded()).to_string() title=fold_label on:click=move |_| fold.toggle()>
                                {Icon::Fold.view()}
                                <span class="menu-label">{fold_label}</span>
                            </button>
                        </li>
                    })}
                </ul>
            }).collect_view()}
        </nav>
    }
    .into_any()
}
