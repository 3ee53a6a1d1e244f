//! Brand, team, search; then the live line and what belongs to the person.

use leptos::prelude::*;

use super::Floats;
use super::bell::Bell;
use super::team_switch::TeamSwitch;
use crate::api;
use crate::clock::use_clock;
use crate::format::age::{age, between};
use crate::format::text::initials;
use crate::i18n::{shell as text, words};
use crate::live::{Line, use_live};
use crate::route::{Route, TeamRoute};
use crate::session::use_session;
use crate::theme::use_look;
use crate::ui::badge::{Badge, Tone};
use crate::ui::button::IconButton;
use crate::ui::icon::Icon;
use crate::ui::logo::Logo;
use crate::ui::menu::{Menu, MenuItem};

#[component]
pub(super) fn TopBar() -> impl IntoView {
    let floats = expect_context::<Floats>();
    let team = use_session().team();
    let look = use_look();
    view! {
        <header class="topbar">
            <a class="brand" href=move || TeamRoute::Overview.of(&team.get()).href() aria-label=text::brand()>
                <Logo/>
                <span>{words::product()}</span>
            </a>
            <TeamSwitch/>
            <button type="button" class="topbar-search" aria-keyshortcuts="Control+K" on:click=move |_| floats.palette.set(true)>
                {Icon::Search.view()}
                <span>{text::search_or_jump()}</span>
                <span aria-hidden="true"><kbd>{mod_key()}</kbd><kbd>"K"</kbd></span>
            </button>
            <BrokerNote/>
            <LiveLine/>
            <Bell/>
            <IconButton icon=Icon::Help label=text::shortcuts().to_owned() on_press=move |()| floats.shortcuts.set(true)/>
            <IconButton icon=Icon::Theme label=text::switch_theme().to_owned() on_press=move |()| look.switch()/>
            <Profile/>
        </header>
    }
    .into_any()
}

/// `Ctrl`, or the sign of that key on a Mac.
pub(super) fn mod_key() -> &'static str {
    let mac = window().navigator().user_agent().is_ok_and(|agent| agent.contains("Mac"));
    if mac { "⌘" } else { "Ctrl" }
}

/// Says plainly that the demo broker serves, and when the broker is gone.
#[component]
fn BrokerNote() -> impl IntoView {
    let session = use_session();
    let live = use_live();
    live.on(move |event| {
        if let millrace_wire::live::LiveEvent::Broker { status } = event {
            session.current.update(|session| {
                if let Some(session) = session {
                    session.broker = status.clone();
                }
            });
        }
    });
    let note = Memo::new(move |_| {
        session.current.with(|session| {
            let broker = &session.as_ref()?.broker;
            let note = broker.note.clone();
            if !broker.up {
                Some((Tone::Bad, text::broker_down(), note))
            } else if broker.demo {
                Some((Tone::Plain, text::demo_broker(), note))
            } else {
                None
            }
        })
    });
    view! { {move || note.get().map(|(tone, words, title)| view! { <Badge tone title=title>{words}</Badge> })} }
        .into_any()
}

#[component]
fn LiveLine() -> impl IntoView {
    let live = use_live();
    let clock = use_clock();
    let heard = move || age(between(live.heard_at().get(), clock.get()));
    let words = move || match live.line().get() {
        Line::Live => text::live(),
        Line::Connecting => text::connecting(),
        Line::Lost(_) => text::offline(),
    };
    let tip = move || match live.line().get() {
        Line::Live => text::live_tip(heard()),
        Line::Connecting => text::connecting_tip().to_owned(),
        Line::Lost(since) => text::lost_tip(age(between(since, clock.get()))),
    };
    let mark = move || match live.line().get() {
        Line::Live => "live",
        Line::Connecting => "connecting",
        Line::Lost(_) => "lost",
    };
    view! {
        <span class="topbar-live" title=tip role="status">
            <span class="state-mark live-mark" data-line=mark aria-hidden="true"></span>
            {words}
        </span>
    }
    .into_any()
}

#[component]
fn Profile() -> impl IntoView {
    let session = use_session();
    let user = Memo::new(move |_| session.current.with(|session| session.as_ref().map(|session| session.user.clone())));
    let name = move || user.get().map(|user| user.name).unwrap_or_default();
    let sign_out = move || {
        leptos::task::spawn_local(async move {
            // Signed out here in any case: a session the server lost is none.
            let _ = api::delete("/session").await;
            session.current.set(None);
        });
    };
    let items = Signal::derive(move || {
        vec![
            MenuItem::go(text::settings(), Some(Icon::Settings), Route::Settings.href()),
            MenuItem::rule(),
            MenuItem::run(text::sign_out(), Some(Icon::Right), sign_out),
        ]
    });
    let label = Signal::derive(move || text::profile(name()));
    view! {
        <Menu label class="avatar" items>
            // By the style sheet, since they are no part of the name that the button has.
            <span class="initials" aria-hidden="true" data-initials=move || initials(&name())></span>
        </Menu>
    }
    .into_any()
}
