//! Whether the object is restricted, and whether it stands in the catalogue.

use leptos::prelude::*;
use millrace_wire::access::{ObjectKind, Permissions, PermissionsChange};

use super::Shared;
use crate::api::{self, Failure};
use crate::i18n::permissions as text;
use crate::ui::button::Button;
use crate::ui::confirm::Confirm;
use crate::ui::facts::{Fact, Facts};
use crate::ui::panel::Panel;
use crate::ui::toast::use_toasts;

/// A text that names the object.
type OfName = fn(String) -> String;

/// One of the two, with the texts of turning it on and off.
#[derive(Clone, Copy)]
struct Turn {
    is_on: fn(&Permissions) -> bool,
    change: fn(bool) -> PermissionsChange,
    state: (&'static str, &'static str),
    action: (&'static str, &'static str),
    title: (OfName, OfName),
    body: (&'static str, &'static str),
    done: (&'static str, &'static str),
}

const fn chosen<T: Copy>(on: bool, pair: (T, T)) -> T {
    if on { pair.0 } else { pair.1 }
}

fn restricting() -> Turn {
    Turn {
        is_on: |found| found.restricted,
        change: |on| PermissionsChange { restricted: Some(on), listed: None },
        state: (text::restricted_tip(), text::open_to_team()),
        action: (text::restrict(), text::open_again()),
        title: (|name| text::restrict_title(name), |name| text::open_title(name)),
        body: (text::restrict_body(), text::open_body()),
        done: (text::now_restricted(), text::now_open()),
    }
}

fn listing() -> Turn {
    Turn {
        is_on: |found| found.listed,
        change: |on| PermissionsChange { restricted: None, listed: Some(on) },
        state: (text::listed(), text::not_listed()),
        action: (text::list(), text::unlist()),
        title: (|name| text::list_title(name), |name| text::unlist_title(name)),
        body: (text::list_body(), text::unlist_body()),
        done: (text::now_listed(), text::now_unlisted()),
    }
}

#[component]
pub(super) fn OpennessPanel(shared: Shared, name: Signal<String>, no_right: Signal<Option<String>>) -> impl IntoView {
    view! {
        <TurnPanel heading=text::restricted() turn=restricting() shared name no_right/>
        {(shared.kind == ObjectKind::Table).then(|| view! {
            <TurnPanel heading=text::listed() turn=listing() shared name no_right/>
        })}
    }
    .into_any()
}

#[component]
fn TurnPanel(
    heading: &'static str,
    turn: Turn,
    shared: Shared,
    name: Signal<String>,
    no_right: Signal<Option<String>>,
) -> impl IntoView {
    let toasts = use_toasts();
    let is_on = Memo::new(move |_| shared.permissions.with(turn.is_on).unwrap_or(false));
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let confirm = Callback::new(move |()| {
        let to = !is_on.get_untracked();
        let (path, body) = (shared.path("permissions"), (turn.change)(to));
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::patch::<Permissions>(&path, &body).await {
                Ok(changed) => {
                    toasts.good(chosen(to, turn.done));
                    let _ = open.try_set(false);
                    shared.permissions.set(changed);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let word = move || chosen(is_on.get(), turn.state);
    let action = move || chosen(!is_on.get(), turn.action);
    view! {
        <Panel title=heading.to_owned()>
            <Facts from_start=true><Fact name=heading><span class="rail-wrap">{word}</span></Fact></Facts>
            <div class="rail-note">
                <Button small=true reason=no_right on_press=move |()| { failure.set(None); open.set(true) }>{action}</Button>
            </div>
        </Panel>
        {move || {
            let to = !is_on.get();
            view! {
                <Confirm
                    open
                    title=Signal::derive(move || chosen(to, turn.title)(name.get()))
                    action=chosen(to, turn.action)
                    busy=busy
                    error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
                    consequences=Signal::derive(move || vec![chosen(to, turn.body).to_owned()])
                    on_confirm=confirm
                />
            }
        }}
    }
    .into_any()
}
