//! Who belongs to the organisation; for its owners.

use leptos::prelude::*;
use millrace_wire::organisation::{OrganisationMember, OrganisationRole, SetOrganisationMember};

use crate::api::{self, Failure};
use crate::i18n::{access, organisation as text};
use crate::load::{Loaded, load_all};
use crate::session::use_session;
use crate::ui::age::Ago;
use crate::ui::badge::Badge;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::facts::{Fact, Facts};
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::toast::use_toasts;
use crate::widget::member_dialog::{AddMember, MemberDialog, NewMember};

type Members = Loaded<Vec<OrganisationMember>>;

const fn role_words(role: OrganisationRole) -> &'static str {
    match role {
        OrganisationRole::Member => text::role_member(),
        OrganisationRole::Owner => text::role_owner(),
    }
}

#[component]
pub(super) fn MembersTab(slug: String) -> impl IntoView {
    let path = super::path(&slug, "/members");
    let members = load_all::<OrganisationMember>(path.clone());
    let adding = RwSignal::new(false);
    let removing = RwSignal::new(None::<OrganisationMember>);
    let count = Signal::derive(move || members.with(|all| all.len().to_string()));
    let add_path = path.clone();
    let add = AddMember::new(move |NewMember { email, role, new_user }| {
        let path = add_path.clone();
        let role = role.parse().unwrap_or(OrganisationRole::Member);
        let body = SetOrganisationMember { email, role, new_user };
        async move {
            let member = api::put::<OrganisationMember>(&path, &body).await?;
            members.reload();
            Ok(member.name)
        }
    });
    let roles = OrganisationRole::ALL
        .iter()
        .map(|role| (role.as_str().to_owned(), format!("{}: {}", role.as_str(), role_words(*role))))
        .collect::<Vec<_>>();
    let list_path = path.clone();
    view! {
        <div>
            <Panel title=text::members().to_owned() count=count end=move || view! {
                <Button kind=Kind::Primary small=true icon=Icon::Plus on_press=move |()| adding.set(true)>{access::add_member()}</Button>
            }>
                {members.show(Shape::Rows(4), move |all| {
                    let path = list_path.clone();
                    (move || list(all.get(), &path, members, removing)).into_any()
                })}
            </Panel>
            <Panel title=text::what_roles_may().to_owned()>
                <Facts from_start=true>
                    {OrganisationRole::ALL.iter().map(|role| view! {
                        <Fact name=role.as_str()>{role_words(*role)}</Fact>
                    }).collect_view()}
                </Facts>
            </Panel>
        </div>
        <MemberDialog open=adding roles first_role=OrganisationRole::Member.as_str() add/>
        <RemoveMember removing path members/>
    }
    .into_any()
}

fn list(
    all: Vec<OrganisationMember>,
    path: &str,
    members: Members,
    removing: RwSignal<Option<OrganisationMember>>,
) -> AnyView {
    let heads = vec![
        Head::text(access::name()).fit(),
        Head::text(text::email()),
        Head::text(text::in_teams()),
        Head::text(text::role()).fit(),
        Head::number(text::since()),
        Head::text(text::remove_action()).silent().fit(),
    ];
    let rows = all.into_iter().map(|member| row(member, path.to_owned(), members, removing)).collect_view();
    view! { <Table label=text::members() heads>{rows}</Table> }.into_any()
}

fn row(
    member: OrganisationMember,
    path: String,
    members: Members,
    removing: RwSignal<Option<OrganisationMember>>,
) -> AnyView {
    let toasts = use_toasts();
    let me = use_session().current.with_untracked(|session| session.as_ref().map(|session| session.user.id));
    let role = member.role;
    let who = StoredValue::new(member.clone());
    let change = move |event: leptos::ev::Event| {
        let Ok(role) = event_target_value(&event).parse::<OrganisationRole>() else { return };
        let path = path.clone();
        let body = SetOrganisationMember { email: who.with_value(|member| member.email.clone()), role, new_user: None };
        leptos::task::spawn_local(async move {
            match api::put::<OrganisationMember>(&path, &body).await {
                Ok(changed) => toasts.good(text::role_set(&changed.name, changed.role)),
                Err(failure) => {
                    toasts.bad(failure.error.message.clone(), failure.error.hint.clone().unwrap_or_default())
                }
            }
            members.reload();
        });
    };
    let teams = if member.teams.is_empty() { text::in_no_team().to_owned() } else { member.teams.join(", ") };
    let label = text::change_role_of(&member.name);
    let remove_label = text::remove(&member.name);
    view! {
        <tr>
            <th scope="row" class="cell-fit">
                <span class="row medium">{member.name}{(me == Some(member.user)).then(|| view! { <Badge>{access::you()}</Badge> })}</span>
            </th>
            <td>{member.email}</td>
            <td class="muted">{teams}</td>
            <td class="cell-fit">
                <select class="select select-small" aria-label=label on:change=change>
                    {OrganisationRole::ALL.iter().map(|known| view! {
                        <option value=known.as_str() selected=*known == role title=role_words(*known)>{known.as_str()}</option>
                    }).collect_view()}
                </select>
            </td>
            <td class="num cell-fit subtle"><Ago at=member.since/></td>
            <td class="cell-fit">
                <IconButton icon=Icon::Trash small=true label=remove_label on_press=move |()| removing.set(Some(who.get_value()))/>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn RemoveMember(removing: RwSignal<Option<OrganisationMember>>, path: String, members: Members) -> impl IntoView {
    let toasts = use_toasts();
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if removing.with(Option::is_some) {
            failure.set(None);
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            removing.set(None);
        }
    });
    let name = Signal::derive(move || {
        removing.with(|member| member.as_ref().map(|member| member.name.clone()).unwrap_or_default())
    });
    let confirm = Callback::new(move |()| {
        let Some(member) = removing.get_untracked() else { return };
        let path = format!("{path}/{}", member.user);
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    toasts.good(text::removed(&member.name));
                    let _ = open.try_set(false);
                    members.reload();
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    view! {
        <Confirm
            open
            title=Signal::derive(move || text::remove_title(name.get()))
            action=text::remove_action()
            busy=busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences=Signal::derive(|| vec![text::remove_body().to_owned()])
            on_confirm=confirm
        />
    }
    .into_any()
}
