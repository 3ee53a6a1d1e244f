//! Filters that a person named. Each is an address, so it can be sent as well.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job_life::{NewSavedFilter, SavedFilter};

use crate::address::Address;
use crate::api::{self, Failure};
use crate::i18n::{jobs as text, words};
use crate::load::load_all;
use crate::route::TeamRoute;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn Saved(team: String, address: Address) -> impl IntoView {
    let path = StoredValue::new(api::path::team(&team, "saved-filters"));
    let list = StoredValue::new(TeamRoute::Jobs.of(&team).href());
    let saved = load_all::<SavedFilter>(path.get_value());
    let toasts = use_toasts();
    let open = RwSignal::new(false);
    let name = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let query = move || address.full().split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    let ask = move || {
        name.set(String::new());
        failure.set(None);
        open.set(true);
    };
    let items = Signal::derive(move || {
        let go = |filter: &SavedFilter| {
            MenuItem::go(filter.name.clone(), None, format!("{}?{}", list.get_value(), filter.query))
        };
        let mut items: Vec<MenuItem> = saved.with(|all| all.iter().map(go).collect()).unwrap_or_default();
        if !items.is_empty() {
            items.push(MenuItem::rule());
        }
        items.push(MenuItem::run(text::save_filter(), Some(Icon::Plus), ask));
        items
    });
    let nothing =
        Signal::derive(move || (open.get() && query().is_empty()).then(|| text::nothing_to_save().to_owned()));
    let save = Callback::new(move |()| {
        let body = NewSavedFilter { name: name.get_untracked(), query: query() };
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::post::<SavedFilter>(&path.get_value(), &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(filter) => {
                    saved.reload();
                    let _ = open.try_set(false);
                    toasts.good(text::filter_saved(filter.name));
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let some = Memo::new(move |_| saved.with(|all| !all.is_empty()) == Some(true));
    let remove = Callback::new(move |filter: SavedFilter| {
        let one = format!("{}/{}", path.get_value(), filter.id);
        spawn_local(async move {
            match api::delete(&one).await {
                Ok(()) => saved.reload(),
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let at_name =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("name"))));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy reason=nothing on_press=save>{words::save()}</Button>
        }
        .into_any()
    };
    view! {
        <Menu label=text::saved_filters().to_owned() class="button button-quiet button-small" from_start=true worded=true items>
            {text::saved_filters()}{Icon::Down.view()}
        </Menu>
        <Dialog open title=text::save_filter_title().to_owned() foot=foot>
            <p class="muted">{text::save_filter_body()}</p>
            <TextField label=text::filter_name().to_owned() value=name autofocus=true error=at_name/>
            {move || failure.get().filter(|failure| !failure.is_only_at(&["name"])).map(|failure| view! { <FailureNote failure/> })}
            {move || some.get().then(|| {
                            view! {
                    <h3>{text::saved_filters()}</h3>
                    <ul class="bulk-list">
                        <For each=move || saved.value().get().unwrap_or_default() key=|filter| filter.id let:filter>
                            <Row filter remove/>
                        </For>
                    </ul>
                }
            })}
        </Dialog>
    }
    .into_any()
}

#[component]
fn Row(filter: SavedFilter, remove: Callback<SavedFilter>) -> impl IntoView {
    let (name, label) = (filter.name.clone(), text::remove_saved(&filter.name));
    view! {
        <li class="row"><span class="grow">{name}</span>
            <IconButton icon=Icon::Trash small=true label on_press=move |()| remove.run(filter.clone())/></li>
    }
    .into_any()
}
