//! What stands around every page: top bar, side menu, banner, palette, shortcut sheet.

mod banner;
mod bell;
mod focus;
mod fold;
mod keys;
mod palette;
mod search;
mod shortcut_sheet;
mod side_menu;
mod team_switch;
mod top_bar;

use leptos::prelude::*;

use crate::i18n::shell as text;
use crate::inbox::InboxState;
use crate::live::Live;
use banner::LostBanner;
use fold::Fold;
use palette::Palette;
use shortcut_sheet::ShortcutSheet;
pub(crate) use shortcut_sheet::shortcut_groups;
use side_menu::SideMenu;
use top_bar::TopBar;

/// What floats over the shell, opened from several places.
#[derive(Clone, Copy)]
pub struct Floats {
    pub palette: RwSignal<bool>,
    pub shortcuts: RwSignal<bool>,
}

#[component]
pub fn Shell(children: Children) -> impl IntoView {
    let floats = Floats { palette: RwSignal::new(false), shortcuts: RwSignal::new(false) };
    provide_context(floats);
    let live = Live::provide();
    InboxState::provide();
    let fold = Fold::provide();
    keys::listen(floats, fold);
    focus::keep();
    let lost = live.is_lost();
    view! {
        <a class="skip-link" href="#main">{text::skip()}</a>
        <div class="frame" data-menu=move || fold.is_folded().then_some("folded")>
            <TopBar/>
            <SideMenu/>
            <main class="frame-main" id="main" tabindex="-1" data-old=move || lost.get().then_some("true")>
                <LostBanner/>
                {children()}
            </main>
        </div>
        <Palette open=floats.palette/>
        <ShortcutSheet open=floats.shortcuts/>
    }
    .into_any()
}
