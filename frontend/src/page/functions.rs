//! Functions: those that the team brought, and the library of built-in ones.

mod bring;
mod built_in;
pub mod function;
mod own;

use leptos::prelude::*;
use millrace_wire::live::LiveEvent;

use crate::address::use_address;
use crate::i18n::functions as text;
use crate::live::use_live;
use crate::rights::{Right, refusal};
use crate::route::{FunctionsTab, Route, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::icon::Icon;
use crate::ui::page_head::PageHead;
use crate::ui::tabs::{Tab, Tabs};
use crate::widget::own_functions::own_functions;
use bring::{Bring, BringDialog};

#[component]
pub fn FunctionsPage(team: String) -> impl IntoView {
    let own = own_functions(&team);
    use_live().on(move |event| {
        if matches!(event, LiveEvent::JobsChanged { .. }) {
            own.reload();
        }
    });
    let route = use_address().route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Team(_, TeamRoute::Functions(tab)) => tab,
        _ => FunctionsTab::Own,
    });
    let bringing = RwSignal::new(false);
    let tabs_team = team.clone();
    let tabs = Signal::derive(move || {
        let one = |known: FunctionsTab, label: &str, count: Option<usize>| Tab {
            label: label.to_owned(),
            href: TeamRoute::Functions(known).of(&tabs_team).href(),
            count: count.map(|count| count.to_string()),
            bad: false,
            current: tab.get() == known,
        };
        vec![
            one(FunctionsTab::Own, text::own(), own.with(Vec::len)),
            one(FunctionsTab::BuiltIn, text::built_in(), None),
        ]
    });
    let dialog_team = team.clone();
    view! {
        <PageHead
            title=text::title().to_owned()
            actions=move || view! {
                <Button kind=Kind::Primary small=true icon=Icon::Plus reason=refusal(Right::Edit) on_press=move |()| bringing.set(true)>
                    {text::new()}
                </Button>
            }
        />
        <Tabs label=text::title() tabs/>
        {move || match tab.get() {
            FunctionsTab::Own => view! { <own::OwnFunctions team=team.clone() functions=own bringing/> }.into_any(),
            FunctionsTab::BuiltIn => view! { <built_in::BuiltIn/> }.into_any(),
        }}
        <BringDialog open=bringing team=dialog_team what=Bring::New/>
    }
    .into_any()
}
