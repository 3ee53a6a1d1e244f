//! Where test runs of the team may write for real.

use leptos::prelude::*;
use millrace_wire::sandbox_target::{SandboxKind, SandboxTarget};

use super::sandbox_dialog::{Editing, SandboxDialog};
use super::sandbox_objects::SandboxObjects;
use crate::api::{self, Failure};
use crate::i18n::{sandbox as text, words};
use crate::load::{Loaded, load_all};
use crate::rights::{Right, may, refusal};
use crate::ui::age::Ago;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn SandboxTab(team: String) -> impl IntoView {
    let targets = load_all::<SandboxTarget>(api::path::team(&team, "sandbox-targets"));
    let editing = RwSignal::new(None::<Editing>);
    let deleting = RwSignal::new(None::<SandboxTarget>);
    // Whoever may start test runs may remove what they left.
    let tests = may(Right::Edit);
    let of_objects = team.clone();
    view! {
        <Panel title=text::targets().to_owned() note=text::note().to_owned() end=move || view! {
            <Button kind=Kind::Primary small=true icon=Icon::Plus reason=refusal(Right::Own) on_press=move |()| editing.set(Some(Editing::New))>
                {text::new()}
            </Button>
        }>
            {targets.show(Shape::Rows(3), move |all| (move || if all.with(Vec::is_empty) {
                view! { <EmptyState icon=Icon::Test title=text::none() body=text::none_body()/> }.into_any()
            } else {
                list(all.get(), editing, deleting)
            })
            .into_any())}
        </Panel>
        {move || tests.get().then(|| view! { <SandboxObjects team=of_objects.clone()/> })}
        <SandboxDialog team=team.clone() editing targets/>
        <DeleteTarget team deleting targets/>
    }
    .into_any()
}

/// What it is of, in words.
pub(super) fn subject(target: &SandboxTarget) -> String {
    if target.connection.is_none() { text::files().to_owned() } else { target.connection_name.clone() }
}

fn list(
    all: Vec<SandboxTarget>,
    editing: RwSignal<Option<Editing>>,
    deleting: RwSignal<Option<SandboxTarget>>,
) -> AnyView {
    let heads = vec![
        Head::text(text::of()).fit(),
        Head::text(text::place()),
        Head::number(text::changed()),
        Head::text(text::actions()).silent().fit(),
    ];
    let rows: Vec<AnyView> = all.into_iter().map(|target| row(target, editing, deleting)).collect();
    view! { <Table label=text::targets() heads>{rows}</Table> }.into_any()
}

fn row(
    target: SandboxTarget,
    editing: RwSignal<Option<Editing>>,
    deleting: RwSignal<Option<SandboxTarget>>,
) -> AnyView {
    let of = subject(&target);
    let place = match target.kind {
        SandboxKind::TopicPrefix => text::topics(&target.place),
        SandboxKind::Schema => text::tables(&target.place),
        SandboxKind::Folder => text::folders(&target.place),
    };
    let (edit, delete) = (text::edit(&of), text::delete(&of));
    let (updated_at, by) = (target.updated_at, text::by(&target.updated_by));
    let own = StoredValue::new(target);
    view! {
        <tr>
            <th scope="row" class="cell-fit medium">{of}</th>
            <td class="cell-clip">{place}</td>
            <td class="num cell-fit subtle" title=by><Ago at=updated_at/></td>
            <td class="cell-fit">
                <Button kind=Kind::Quiet small=true reason=refusal(Right::Own) title=edit on_press=move |()| editing.set(Some(Editing::Known(own.get_value())))>{words::edit()}</Button>
                <IconButton small=true icon=Icon::Trash reason=refusal(Right::Own) label=delete on_press=move |()| deleting.set(Some(own.get_value()))/>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn DeleteTarget(
    team: String,
    deleting: RwSignal<Option<SandboxTarget>>,
    targets: Loaded<Vec<SandboxTarget>>,
) -> impl IntoView {
    let toasts = use_toasts();
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if deleting.with(Option::is_some) {
            failure.set(None);
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            deleting.set(None);
        }
    });
    let name = Signal::derive(move || deleting.with(|target| target.as_ref().map(subject).unwrap_or_default()));
    let confirm = Callback::new(move |()| {
        let Some(target) = deleting.get_untracked() else { return };
        let path = api::path::team(&team, &format!("sandbox-targets/{}", target.id));
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    toasts.good(text::deleted(subject(&target)));
                    let _ = open.try_set(false);
                    targets.reload();
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
            title=Signal::derive(move || text::delete_title(name.get()))
            action=words::delete()
            busy=busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences=Signal::derive(|| vec![text::delete_body().to_owned()])
            on_confirm=confirm
        />
    }
    .into_any()
}
