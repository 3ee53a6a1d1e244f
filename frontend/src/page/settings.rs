//! Personal settings, and facts on the person and the server.

mod organisations;

use leptos::prelude::*;

use crate::i18n::{organisation, settings as text, shell, words};
use crate::route::TeamRoute;
use crate::session::use_session;
use crate::theme::{Density, Theme, use_look};
use crate::ui::badge::Badge;
use crate::ui::button::Button;
use crate::ui::facts::{Fact, Facts};
use crate::ui::icon::Icon;
use crate::ui::page_head::PageHead;
use crate::ui::panel::Panel;
use crate::ui::segmented::Segmented;
use crate::widget::new_team::NewTeamDialog;

#[component]
pub fn SettingsPage() -> impl IntoView {
    let look = use_look();
    let themes = vec![
        (Theme::System, text::theme_system().to_owned()),
        (Theme::Light, text::theme_light().to_owned()),
        (Theme::Dark, text::theme_dark().to_owned()),
    ];
    let densities = vec![
        (Density::Comfortable, text::density_comfortable().to_owned()),
        (Density::Compact, text::density_compact().to_owned()),
    ];
    view! {
        <PageHead title=text::title().to_owned()/>
        <div class="page settings">
            <Panel title=text::look().to_owned() note=text::kept_here().to_owned()>
                <Facts from_start=true>
                    <Fact name=text::theme()>
                        <Segmented label=text::theme() options=themes value=look.theme on_choose=move |theme| look.theme.set(theme)/>
                    </Fact>
                    <Fact name=text::density()>
                        <Segmented label=text::density() options=densities value=look.density on_choose=move |density| look.density.set(density)/>
                        <span class="subtle small settings-help">{text::density_help()}</span>
                    </Fact>
                    <Fact name=text::times()>{text::times_body()}</Fact>
                </Facts>
            </Panel>
            <PersonPanel/>
            <organisations::OrganisationsPanel/>
            <ServerPanel/>
            <Panel title=shell::shortcuts().to_owned()>
                <div class="columns columns-half">{crate::shell::shortcut_groups()}</div>
            </Panel>
        </div>
    }
    .into_any()
}

#[component]
fn PersonPanel() -> impl IntoView {
    let session = use_session();
    let making = RwSignal::new(false);
    let makes_teams = Memo::new(move |_| !session.owned_organisations().is_empty());
    view! {
        <Panel title=text::person().to_owned() end=move || view! {
            {move || makes_teams.get().then(|| view! {
                <Button small=true icon=Icon::Plus on_press=move |()| making.set(true)>{organisation::new_team()}</Button>
            })}
        }>
            {move || session.current.get().map(|session| view! {
                <Facts from_start=true>
                    <Fact name=text::name()>{session.user.name}</Fact>
                    <Fact name=text::email()>{session.user.email}</Fact>
                    <Fact name=text::administrator()>{if session.user.administrator { words::yes() } else { words::no() }}</Fact>
                    <Fact name=text::teams()>
                        {session.teams.into_iter().map(|team| view! {
                            <span class="row">
                                <a class="link" href=TeamRoute::Overview.of(&team.slug).href()>{team.name}</a>
                                <Badge>{team.role.as_str()}</Badge>
                            </span>
                        }).collect_view()}
                    </Fact>
                </Facts>
            })}
        </Panel>
        <NewTeamDialog open=making/>
    }
    .into_any()
}

#[component]
fn ServerPanel() -> impl IntoView {
    let session = use_session();
    view! {
        <Panel title=text::server().to_owned()>
            {move || session.current.get().map(|session| view! {
                <Facts from_start=true>
                    <Fact name=text::version()>{session.version}</Fact>
                    <Fact name=text::broker()>
                        {if session.broker.up { text::broker_up() } else { text::broker_down() }}
                        " "<span class="muted">{session.broker.note}</span>
                    </Fact>
                    <Fact name=text::broker_addresses()><span class="code">{session.broker.bootstrap}</span></Fact>
                    <Fact name=text::demo_mode()>{if session.demo { text::demo_on() } else { text::off() }}</Fact>
                </Facts>
            })}
        </Panel>
    }
    .into_any()
}
