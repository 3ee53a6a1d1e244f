//! The palette: one field, everything reachable by its words. The list is a combobox, so it works by keyboard and is
//! read out.

use std::time::Duration;

use leptos::html;
use leptos::prelude::*;

use super::Floats;
use super::search::{self, Offer};
use crate::address::use_address;
use crate::i18n::shell as text;
use crate::session::use_session;
use crate::theme::use_look;
use crate::ui::icon::Icon;

/// The server is asked once typing rests.
const REST: Duration = Duration::from_millis(120);

#[component]
pub(super) fn Palette(open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() {
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        } else if dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog
            class="dialog palette"
            node_ref=dialog
            aria-label=text::palette()
            on:close=move |_| open.set(false)
            on:click=move |event| {
                // A click on the dialog itself is one beside its content.
                let own = dialog.get_untracked().map(|dialog| AsRef::<leptos::web_sys::EventTarget>::as_ref(&dialog).clone());
                if own == event.target() { open.set(false); }
            }
        >
            {move || open.get().then(|| view! { <PaletteBody open/> })}
        </dialog>
    }
    .into_any()
}

#[component]
fn PaletteBody(open: RwSignal<bool>) -> impl IntoView {
    let floats = expect_context::<Floats>();
    let address = use_address();
    let session = use_session();
    let look = use_look();
    let query = RwSignal::new(String::new());
    let found = RwSignal::new(Vec::<Offer>::new());
    let searching = RwSignal::new(false);
    let active = RwSignal::new(0_usize);
    let input = NodeRef::<html::Input>::new();
    let pause = StoredValue::new(None::<TimeoutHandle>);

    Effect::new(move |_| {
        if let Some(input) = input.get() {
            let _ = input.focus();
        }
    });
    Effect::new(move |_| {
        let words = query.get().trim().to_owned();
        active.set(0);
        if let Some(handle) = pause.get_value() {
            handle.clear();
        }
        if words.is_empty() {
            found.set(Vec::new());
            searching.set(false);
            return;
        }
        searching.set(true);
        let team = session.team_now();
        let ask = move || {
            leptos::task::spawn_local(async move {
                let hits = search::remote(&team, &words).await;
                if query.try_with_untracked(|now| now.trim() == words) == Some(true) {
                    let _ = found.try_set(hits);
                    let _ = searching.try_set(false);
                }
            });
        };
        pause.set_value(set_timeout_with_handle(ask, REST).ok());
    });
    let offers = Memo::new(move |_| {
        let mut all = search::local(query.get().trim(), session, look);
        all.extend(found.get());
        all
    });
    let choose = move |index: usize| {
        if let Some(offer) = offers.with_untracked(|offers| offers.get(index).cloned()) {
            open.set(false);
            search::perform(&offer.act, floats, look, address);
        }
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let count = offers.with_untracked(Vec::len);
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => count.saturating_sub(1),
            "Enter" => {
                event.prevent_default();
                return choose(active.get_untracked());
            }
            _ => return,
        };
        event.prevent_default();
        if count > 0 {
            active.update(|active| *active = (*active + step) % count);
            reveal(active.get_untracked());
        }
    };
    view! {
        <div class="palette-head">
            {Icon::Search.view()}
            <input
                node_ref=input
                type="text"
                role="combobox"
                aria-expanded="true"
                aria-controls="palette-list"
                aria-activedescendant=move || (!offers.with(Vec::is_empty)).then(|| option_id(active.get()))
                aria-label=text::palette()
                placeholder=text::search_or_jump()
                autocomplete="off"
                spellcheck="false"
                prop:value=move || query.get()
                on:input=move |event| query.set(event_target_value(&event))
                on:keydown=on_key
            />
            <kbd>"Esc"</kbd>
        </div>
        <div class="palette-list popover-list" role="listbox" id="palette-list" aria-label=text::palette()>
            {move || {
                let mut group = "";
                offers.get().into_iter().enumerate().map(|(index, offer)| {
                    let heading = (offer.group != group).then_some(offer.group);
                    group = offer.group;
                    option(index, offer, heading, active, Callback::new(choose))
                }).collect_view()
            }}
        </div>
        {move || (offers.with(Vec::is_empty)).then(|| view! {
            <p class="palette-empty subtle" role="status">
                {if searching.get() { text::palette_searching() } else { text::palette_empty() }}
            </p>
        })}
    }
    .into_any()
}

fn option(
    index: usize,
    offer: Offer,
    heading: Option<&'static str>,
    active: RwSignal<usize>,
    choose: Callback<usize>,
) -> AnyView {
    view! {
        {heading.map(|heading| view! { <div class="palette-group" role="presentation">{heading}</div> })}
        <div
            class="palette-option"
            role="option"
            id=option_id(index)
            aria-selected=move || (active.get() == index).to_string()
            on:click=move |_| choose.run(index)
            on:mousemove=move |_| if active.get_untracked() != index { active.set(index) }
        >
            {offer.icon.view()}
            <span class="truncate">{offer.title}</span>
            <span class="palette-detail truncate subtle small">{offer.detail}</span>
        </div>
    }
    .into_any()
}

fn option_id(index: usize) -> String {
    format!("palette-{index}")
}

fn reveal(index: usize) {
    if let Some(element) = document().get_element_by_id(&option_id(index)) {
        let options = leptos::web_sys::ScrollIntoViewOptions::new();
        options.set_block(leptos::web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}
