//! One function: test it on sample values, its versions, who uses it, and the facts beside.

mod head;
mod rail;
mod test;
mod used_by;
mod versions;

use leptos::prelude::*;
use millrace_wire::ids::FunctionId;
use millrace_wire::live::LiveEvent;
use millrace_wire::user_function::{UserFunction, UserFunctionVersion};

use crate::address::use_address;
use crate::api;
use crate::i18n::functions as text;
use crate::live::use_live;
use crate::load::load;
use crate::route::{FunctionTab, Route, TeamRoute};
use crate::ui::skeleton::Shape;
use crate::ui::tabs::{Tab, Tabs};

#[component]
pub fn FunctionPage(team: String, function: FunctionId) -> impl IntoView {
    let path = api::path::team(&team, &format!("functions/{function}"));
    let own = path.clone();
    let loaded = load(
        || (),
        move |()| {
            let path = own.clone();
            async move { api::get::<UserFunction>(&path).await }
        },
    );
    // What is being deleted is not asked for again.
    let leaving = StoredValue::new(false);
    use_live().on(move |event| {
        let mine = match event {
            LiveEvent::FunctionsChanged { function: changed } => *changed == function,
            LiveEvent::JobsChanged { .. } | LiveEvent::Reset => true,
            _ => false,
        };
        if mine && leaving.try_get_value() == Some(false) {
            loaded.reload();
        }
    });
    let route = use_address().route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Team(_, TeamRoute::Function(_, tab)) => tab,
        _ => FunctionTab::Test,
    });
    view! {
        {loaded.show(Shape::Page, move |function| {
            let (team, path) = (team.clone(), path.clone());
            view! {
                <head::Head team=team.clone() path=path.clone() function leaving/>
                <FunctionTabs team=team.clone() function tab/>
                <div class="page columns columns-rail">
                    <div>{tab_content(team, path, function, tab)}</div>
                    <rail::Rail function/>
                </div>
            }
            .into_any()
        })}
    }
    .into_any()
}

fn tab_content(team: String, path: String, function: Signal<UserFunction>, tab: Memo<FunctionTab>) -> AnyView {
    (move || match tab.get() {
        FunctionTab::Test => view! { <test::TestPanel path=path.clone() function/> }.into_any(),
        FunctionTab::Versions => view! { <versions::Versions function/> }.into_any(),
        FunctionTab::UsedBy => view! { <used_by::UsedBy team=team.clone() function/> }.into_any(),
    })
    .into_any()
}

/// The newest version, of which there is always one.
fn newest(function: &UserFunction) -> Option<&UserFunctionVersion> {
    function.versions.first()
}

#[component]
fn FunctionTabs(team: String, function: Signal<UserFunction>, tab: Memo<FunctionTab>) -> impl IntoView {
    let tabs = Signal::derive(move || {
        let (id, versions, jobs) =
            function.with(|function| (function.id, function.versions.len(), function.used_by.len()));
        FunctionTab::ALL
            .iter()
            .map(|known| {
                let (label, count) = match known {
                    FunctionTab::Test => (text::test(), None),
                    FunctionTab::Versions => (text::versions(), Some(versions.to_string())),
                    FunctionTab::UsedBy => (text::used_by(), Some(jobs.to_string())),
                };
                Tab {
                    label: label.to_owned(),
                    href: TeamRoute::Function(id, *known).of(&team).href(),
                    count,
                    bad: false,
                    current: tab.get() == *known,
                }
            })
            .collect::<Vec<_>>()
    });
    view! { <Tabs label=text::title() tabs/> }.into_any()
}
