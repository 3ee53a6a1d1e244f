//! The teams of an organisation. Who owns it sees that they are there, and no more.

use leptos::prelude::*;
use millrace_wire::organisation::{Organisation, OrganisationTeam};

use super::take_team::TakeTeamDialog;
use super::team_owner::TeamOwnerDialog;
use crate::i18n::organisation as text;
use crate::load::{Loaded, load_all};
use crate::route::TeamRoute;
use crate::session::use_session;
use crate::ui::age::Ago;
use crate::ui::button::{Button, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::widget::new_team::NewTeamDialog;

#[component]
pub(super) fn TeamsTab(slug: String, organisation: Loaded<Organisation>, owns: Memo<bool>) -> impl IntoView {
    let session = use_session();
    let teams = load_all::<OrganisationTeam>(super::path(&slug, "/teams"));
    let (making, taking) = (RwSignal::new(false), RwSignal::new(false));
    let naming = RwSignal::new(None::<OrganisationTeam>);
    let changed = Callback::new(move |()| {
        teams.reload();
        organisation.reload();
    });
    let administers = Memo::new(move |_| {
        session.current.with(|session| session.as_ref().is_some_and(|session| session.user.administrator))
    });
    let count = Signal::derive(move || teams.with(|all| all.len().to_string()));
    view! {
        <Panel title=text::teams().to_owned() count=count end=move || view! {
            {move || administers.get().then(|| view! {
                <Button small=true on_press=move |()| taking.set(true)>{text::take_team()}</Button>
            })}
            {move || owns.get().then(|| view! {
                <Button kind=Kind::Primary small=true icon=Icon::Plus on_press=move |()| making.set(true)>{text::new_team()}</Button>
            })}
        }>
            {teams.show(Shape::Rows(4), move |all| (move || list(all.get(), owns, naming)).into_any())}
        </Panel>
        {move || owns.get().then(|| view! { <p class="subtle small">{text::what_owners_see()}</p> })}
        <NewTeamDialog open=making within=slug.clone() on_made=changed/>
        <TakeTeamDialog open=taking slug=slug.clone() changed/>
        <TeamOwnerDialog naming slug changed/>
    }
    .into_any()
}

fn list(all: Vec<OrganisationTeam>, owns: Memo<bool>, naming: RwSignal<Option<OrganisationTeam>>) -> AnyView {
    if all.is_empty() {
        return view! { <EmptyState title=text::no_teams() body=text::no_teams_body()/> }.into_any();
    }
    let mut heads = vec![
        Head::text(text::team()),
        Head::text(text::owners()),
        Head::number(text::members()),
        Head::number(text::since()),
    ];
    if owns.get() {
        heads.push(Head::text(text::name_owner()).silent().fit());
    }
    let rows = all.into_iter().map(|team| row(team, owns.get_untracked(), naming)).collect_view();
    view! { <Table label=text::teams() heads>{rows}</Table> }.into_any()
}

fn row(team: OrganisationTeam, owns: bool, naming: RwSignal<Option<OrganisationTeam>>) -> AnyView {
    let is_mine = untrack(|| use_session().membership_of(&team.slug)).is_some();
    let name = team.name.clone();
    // What one may not open is not a link.
    let name = if is_mine {
        view! { <a class="link" href=TeamRoute::Overview.of(&team.slug).href()>{name}</a> }.into_any()
    } else {
        view! { <span class="medium">{name}</span> }.into_any()
    };
    let owners = if team.owners.is_empty() { text::no_owner().to_owned() } else { team.owners.join(", ") };
    let label = text::of_team(&team.name);
    let which = StoredValue::new(team.clone());
    view! {
        <tr>
            <th scope="row">{name}" "<span class="subtle code">{team.slug}</span></th>
            <td>{owners}</td>
            <td class="num">{team.members}</td>
            <td class="num cell-fit subtle"><Ago at=team.created_at/></td>
            {owns.then(|| view! {
                <td class="cell-fit">
                    <Button small=true on_press=move |()| naming.set(Some(which.get_value()))>
                        {text::name_owner()}<span class="visually-hidden">{label}</span>
                    </Button>
                </td>
            })}
        </tr>
    }
    .into_any()
}
