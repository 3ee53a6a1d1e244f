//! Pages come in parts of the program that are loaded when the first page of a part is opened: the first load holds the
//! shell, sign-in and the overview only.
//!
//! `cargo xtask web` cuts the WASM at the functions marked here. What two parts share becomes a piece of its own, or
//! stays in the first load.

use std::future::Future;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use millrace_wire::ids::JobId;
use reactive_graph::computed::ScopedFuture;

use crate::address::use_address;
use crate::api::Failure;
use crate::page;
use crate::route::{JobTab, Route, TeamRoute};
use crate::ui::failure::FailureView;
use crate::ui::skeleton::{Shape, Skeleton};

/// A page of a team.
pub(crate) fn team(team: String, route: TeamRoute) -> AnyView {
    match route {
        TeamRoute::Overview => view! { <page::overview::OverviewPage team/> }.into_any(),
        TeamRoute::Editor(_) => when_loaded(preload_editor(), move || editor(team)),
        TeamRoute::Jobs | TeamRoute::JobsBin | TeamRoute::Job(..) => {
            when_loaded(preload_jobs(), move || jobs(team, route))
        }
        TeamRoute::Catalogue => when_loaded(preload_others(), move || others(team.of(route))),
        TeamRoute::Tables
        | TeamRoute::TableNew
        | TeamRoute::TableImport
        | TeamRoute::TableEdit(_)
        | TeamRoute::Table(..) => when_loaded(preload_tables(), move || tables(team, route)),
        TeamRoute::Connections
        | TeamRoute::ConnectionNew
        | TeamRoute::ConnectionEdit(_)
        | TeamRoute::Connection(..)
        | TeamRoute::Topic(..) => when_loaded(preload_connections(), move || connections(team, route)),
        TeamRoute::Functions(_) | TeamRoute::Function(..) => {
            when_loaded(preload_functions(), move || functions(team, route))
        }
        TeamRoute::Variables | TeamRoute::Logs | TeamRoute::Access(_) => {
            when_loaded(preload_others(), move || others(team.of(route)))
        }
    }
}

/// A page without a team.
pub(crate) fn personal(route: Route) -> AnyView {
    when_loaded(preload_others(), move || others(route))
}

trait OfTeam {
    fn of(self, route: TeamRoute) -> Route;
}

impl OfTeam for String {
    fn of(self, route: TeamRoute) -> Route {
        Route::Team(self, route)
    }
}

#[wasm_split(editor, wasm_split_path = ::leptos::wasm_split, preload(preload_editor), fallible)]
fn editor(team: String) -> Result<AnyView, SplitLoaderError> {
    let route = use_address().route();
    let job = Memo::new(move |before: Option<&Option<JobId>>| match route.get() {
        Route::Team(_, TeamRoute::Editor(job)) => job,
        _ => before.copied().flatten(),
    });
    Ok(view! { <page::editor::EditorPage team job/> }.into_any())
}

#[wasm_split(jobs, wasm_split_path = ::leptos::wasm_split, preload(preload_jobs), fallible)]
fn jobs(team: String, route: TeamRoute) -> Result<AnyView, SplitLoaderError> {
    let job = match route {
        TeamRoute::Job(job, _) => job,
        TeamRoute::JobsBin => return Ok(view! { <page::jobs::bin::BinPage team/> }.into_any()),
        _ => return Ok(view! { <page::jobs::JobsPage team/> }.into_any()),
    };
    let route = use_address().route();
    let tab = Memo::new(move |before: Option<&JobTab>| match route.get() {
        Route::Team(_, TeamRoute::Job(_, tab)) => tab,
        _ => before.copied().unwrap_or(JobTab::Overview),
    });
    Ok(view! { <page::job::JobPage team job tab/> }.into_any())
}

#[wasm_split(tables, wasm_split_path = ::leptos::wasm_split, preload(preload_tables), fallible)]
fn tables(team: String, route: TeamRoute) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        TeamRoute::TableNew => view! { <page::tables::form::TableNewPage team/> }.into_any(),
        TeamRoute::TableImport => view! { <page::tables::import::TableImportPage team/> }.into_any(),
        TeamRoute::TableEdit(table) => view! { <page::tables::form::TableEditPage team table/> }.into_any(),
        TeamRoute::Table(table, _) => view! { <page::tables::table::TablePage team table/> }.into_any(),
        _ => view! { <page::tables::TablesPage team/> }.into_any(),
    })
}

#[wasm_split(connections, wasm_split_path = ::leptos::wasm_split, preload(preload_connections), fallible)]
fn connections(team: String, route: TeamRoute) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        TeamRoute::ConnectionNew => view! { <page::connections::form::ConnectionNewPage team/> }.into_any(),
        TeamRoute::ConnectionEdit(connection) => {
            view! { <page::connections::form::ConnectionEditPage team connection/> }.into_any()
        }
        TeamRoute::Connection(connection, _) => {
            view! { <page::connections::connection::ConnectionPage team connection/> }.into_any()
        }
        TeamRoute::Topic(connection, topic, _) => {
            view! { <page::connections::topic::TopicPage team connection topic/> }.into_any()
        }
        _ => view! { <page::connections::ConnectionsPage team/> }.into_any(),
    })
}

#[wasm_split(functions, wasm_split_path = ::leptos::wasm_split, preload(preload_functions), fallible)]
fn functions(team: String, route: TeamRoute) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        TeamRoute::Function(function, _) => {
            view! { <page::functions::function::FunctionPage team function/> }.into_any()
        }
        _ => view! { <page::functions::FunctionsPage team/> }.into_any(),
    })
}

#[wasm_split(others, wasm_split_path = ::leptos::wasm_split, preload(preload_others), fallible)]
fn others(route: Route) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        Route::Settings => view! { <page::settings::SettingsPage/> }.into_any(),
        Route::Organisation(slug, _) => view! { <page::organisation::OrganisationPage slug/> }.into_any(),
        Route::Primitives => view! { <page::primitives::PrimitivesPage/> }.into_any(),
        Route::Team(_, TeamRoute::Catalogue) => view! { <page::catalogue::CataloguePage/> }.into_any(),
        Route::Team(team, TeamRoute::Variables) => view! { <page::variables::VariablesPage team/> }.into_any(),
        Route::Team(team, TeamRoute::Logs) => view! { <page::logs::LogsPage team/> }.into_any(),
        Route::Team(team, _) => view! { <page::access::AccessPage team/> }.into_any(),
        _ => view! { <page::not_found::NotFoundPage/> }.into_any(),
    })
}

/// A skeleton, then the page. Who leaves before the part is there is not followed by its page.
fn when_loaded<L, P>(part: L, build: impl FnOnce() -> P + 'static) -> AnyView
where
    L: Future<Output = Result<(), SplitLoaderError>> + 'static,
    P: Future<Output = Result<AnyView, SplitLoaderError>> + 'static,
{
    let ready = RwSignal::new(false);
    let slot = StoredValue::new_local(None::<AnyView>);
    leptos::task::spawn_local(ScopedFuture::new_untracked(async move {
        let loaded = part.await;
        if ready.is_disposed() {
            return;
        }
        let view = match loaded {
            Ok(()) => build().await,
            Err(error) => Err(error),
        };
        let again = || {
            let _ = window().location().reload();
        };
        let view = view.unwrap_or_else(|_| {
            view! { <FailureView failure=Failure::unreachable() retry=move |()| again()/> }.into_any()
        });
        let _ = slot.try_set_value(Some(view));
        let _ = ready.try_set(true);
    }));
    (move || {
        ready.track();
        let view = slot.try_update_value(Option::take).flatten();
        view.unwrap_or_else(|| view! { <Skeleton shape=Shape::Page/> }.into_any())
    })
    .into_any()
}
