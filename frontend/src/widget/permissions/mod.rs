//! Who may what with one job or table, and why; rights are given and withdrawn here.

mod give_dialog;
mod openness;
mod words;

use leptos::prelude::*;
use millrace_wire::access::{Because, Grantee, Level, NewGrant, ObjectAccess, ObjectKind, Permission, Permissions};
use millrace_wire::ids::GrantId;

use crate::api::{self, Failure};
use crate::i18n::{permissions as text, rights as right_text};
use crate::load::{Loaded, load};
use crate::ui::badge::{Badge, Tone};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::facts::{Fact, Facts};
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::toast::use_toasts;
use give_dialog::GiveDialog;
use openness::OpennessPanel;
use words::{level_may, level_word, why};

/// Badges beside the name of an object.
pub fn badges(access: &ObjectAccess) -> AnyView {
    open_badges(access.restricted, access.shared)
}

/// The same in a list.
pub fn open_badges(restricted: bool, shared: bool) -> AnyView {
    view! {
        {restricted.then(|| view! { <Badge tone=Tone::Warn icon=Icon::Key title=text::restricted_tip()>{text::restricted()}</Badge> })}
        {shared.then(|| view! { <Badge title=text::shared_tip()>{text::shared()}</Badge> })}
    }
    .into_any()
}

/// What the parts of the view share.
#[derive(Clone, Copy)]
struct Shared {
    kind: ObjectKind,
    /// Of the object in the API.
    path: StoredValue<String>,
    permissions: Loaded<Permissions>,
}

impl Shared {
    fn path(&self, tail: &str) -> String {
        self.path.with_value(|path| format!("{path}/{tail}"))
    }
}

/// `path`: of the object in the API.
#[component]
pub fn PermissionsView(kind: ObjectKind, path: String, #[prop(into)] name: Signal<String>) -> impl IntoView {
    let asked = format!("{path}/permissions");
    let permissions = load(
        || (),
        move |()| {
            let path = asked.clone();
            async move { api::get::<Permissions>(&path).await }
        },
    );
    let shared = Shared { kind, path: StoredValue::new(path), permissions };
    let adding = RwSignal::new(false);
    let withdrawing = RwSignal::new(None::<(GrantId, String)>);
    let no_right = no_right(permissions);
    view! {
        <div class="columns columns-rail">
            <Panel title=text::title().to_owned() end=move || view! {
                <Button kind=Kind::Primary small=true icon=Icon::Plus reason=no_right on_press=move |()| adding.set(true)>{text::add()}</Button>
            }>
                {permissions.show(Shape::Rows(4), move |found| {
                    (move || list(&found.get(), shared, withdrawing)).into_any()
                })}
            </Panel>
            <aside class="rail" aria-label=text::what_rights_may()>
                <OpennessPanel shared name no_right/>
                <Panel title=text::what_rights_may().to_owned()>
                    <Facts from_start=true>
                        {Level::ALL.iter().map(|level| view! {
                            <Fact name=level_word(*level)><span class="rail-wrap">{level_may(kind, *level)}</span></Fact>
                        }).collect_view()}
                    </Facts>
                </Panel>
            </aside>
        </div>
        <GiveDialog open=adding shared/>
        <Withdraw withdrawing shared/>
    }
    .into_any()
}

fn no_right(permissions: Loaded<Permissions>) -> Signal<Option<String>> {
    Signal::derive(move || {
        let manages = permissions.with(|found| found.manage).unwrap_or(false);
        (!manages).then(|| right_text::needs_manage().to_owned())
    })
}

fn list(found: &Permissions, shared: Shared, withdrawing: RwSignal<Option<(GrantId, String)>>) -> AnyView {
    let heads = vec![
        Head::text(text::who()),
        Head::text(text::level()).fit(),
        Head::text(text::why()),
        Head::text(text::actions()).silent().fit(),
    ];
    let manage = found.manage;
    let rows = found.entries.iter().cloned().map(|entry| row(entry, manage, shared, withdrawing)).collect_view();
    view! { <Table label=text::title() heads>{rows}</Table> }.into_any()
}

fn row(entry: Permission, manage: bool, shared: Shared, withdrawing: RwSignal<Option<(GrantId, String)>>) -> AnyView {
    let reason = why(&entry.because);
    let (who, mail) = match &entry.grantee {
        Grantee::Person { name, email, .. } => (name.clone(), Some(email.clone())),
        Grantee::Team { name, .. } => (text::team_of(name), None),
    };
    let grant = match &entry.because {
        Because::Grant { grant, .. } if manage => Some(*grant),
        _ => None,
    };
    let level = entry.level;
    let of = who.clone();
    let right = match grant {
        None => level_word(level).into_any(),
        Some(_) => view! { <LevelSelect entry shared/> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><span class="row"><span class="medium">{who}</span>{mail.map(|mail| view! { <span class="subtle">{mail}</span> })}</span></th>
            <td class="cell-fit">{right}</td>
            <td class="muted">{reason}</td>
            <td class="cell-fit">{grant.map(|grant| {
                let label = text::withdraw_of(&of);
                view! { <IconButton icon=Icon::Trash small=true label on_press=move |()| withdrawing.set(Some((grant, of.clone())))/> }
            })}</td>
        </tr>
    }
    .into_any()
}

/// Another level for somebody who has a right.
#[component]
fn LevelSelect(entry: Permission, shared: Shared) -> impl IntoView {
    let toasts = use_toasts();
    let (who, email, team) = match entry.grantee {
        Grantee::Person { name, email, .. } => (name, Some(email), None),
        Grantee::Team { name, slug } => (text::team_of(name), None, Some(slug)),
    };
    let (now, label) = (entry.level, text::change_of(&who));
    let change = move |event: leptos::ev::Event| {
        let Ok(level) = event_target_value(&event).parse::<Level>() else { return };
        let body = NewGrant { level, email: email.clone(), team: team.clone() };
        let (path, who) = (shared.path("grants"), who.clone());
        leptos::task::spawn_local(async move {
            match api::put::<Permissions>(&path, &body).await {
                Ok(changed) => {
                    toasts.good(text::changed(&who, level_word(level)));
                    shared.permissions.set(changed);
                }
                Err(failure) => {
                    toasts.bad(failure.error.message.clone(), failure.error.hint.clone().unwrap_or_default());
                    shared.permissions.reload();
                }
            }
        });
    };
    view! {
        <select class="select select-small" aria-label=label on:change=change>
            {Level::ALL.iter().map(|level| view! {
                <option value=level.as_str() selected=*level == now title=level_may(shared.kind, *level)>{level_word(*level)}</option>
            }).collect_view()}
        </select>
    }
    .into_any()
}

#[component]
fn Withdraw(withdrawing: RwSignal<Option<(GrantId, String)>>, shared: Shared) -> impl IntoView {
    let toasts = use_toasts();
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if withdrawing.with(Option::is_some) {
            failure.set(None);
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            withdrawing.set(None);
        }
    });
    let who = Signal::derive(move || {
        withdrawing.with(|chosen| chosen.as_ref().map(|(_, who)| who.clone()).unwrap_or_default())
    });
    let confirm = Callback::new(move |()| {
        let Some((grant, who)) = withdrawing.get_untracked() else { return };
        let path = shared.path(&format!("grants/{grant}"));
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    toasts.good(text::withdrawn(who));
                    let _ = open.try_set(false);
                    shared.permissions.reload();
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
            title=Signal::derive(move || text::withdraw_title(who.get()))
            action=text::withdraw()
            busy=busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences=Signal::derive(|| vec![text::withdraw_body().to_owned()])
            on_confirm=confirm
        />
    }
    .into_any()
}
