//! Topics, tables and folders that test runs wrote, until somebody removes them.

use leptos::prelude::*;
use millrace_wire::sandbox_target::SandboxObject;

use crate::api::{self, Failure};
use crate::i18n::sandbox as text;
use crate::load::{Loaded, load_all};
use crate::ui::age::Ago;
use crate::ui::button::IconButton;
use crate::ui::confirm::Confirm;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn SandboxObjects(team: String) -> impl IntoView {
    let objects = load_all::<SandboxObject>(api::path::team(&team, "sandbox-objects"));
    let removing = RwSignal::new(None::<SandboxObject>);
    view! {
        <Panel title=text::objects().to_owned() note=text::objects_note().to_owned()>
            {objects.show(Shape::Rows(2), move |all| (move || if all.with(Vec::is_empty) {
                view! { <p class="muted">{text::no_objects()}</p> }.into_any()
            } else {
                list(all.get(), removing)
            })
            .into_any())}
        </Panel>
        <RemoveObject team removing objects/>
    }
    .into_any()
}

fn list(all: Vec<SandboxObject>, removing: RwSignal<Option<SandboxObject>>) -> AnyView {
    let heads = vec![
        Head::text(text::object()),
        Head::text(text::sink()).fit(),
        Head::text(text::where_()).fit(),
        Head::number(text::written()),
        Head::text(text::actions()).silent().fit(),
    ];
    let rows: Vec<AnyView> = all.into_iter().map(|object| row(object, removing)).collect();
    view! { <Table label=text::objects() heads>{rows}</Table> }.into_any()
}

fn row(object: SandboxObject, removing: RwSignal<Option<SandboxObject>>) -> AnyView {
    let place = if object.connection.is_none() { text::files().to_owned() } else { object.connection_name.clone() };
    let (name, label, table) = (object.name.clone(), text::remove(&object.name), object.table.clone());
    let (created_at, by) = (object.created_at, text::by(&object.created_by));
    let own = StoredValue::new(object);
    view! {
        <tr>
            <th scope="row" class="code">{name}</th>
            <td class="cell-fit code">{table}</td>
            <td class="cell-fit">{place}</td>
            <td class="num cell-fit subtle" title=by><Ago at=created_at/></td>
            <td class="cell-fit">
                <IconButton small=true icon=Icon::Trash label=label on_press=move |()| removing.set(Some(own.get_value()))/>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn RemoveObject(
    team: String,
    removing: RwSignal<Option<SandboxObject>>,
    objects: Loaded<Vec<SandboxObject>>,
) -> impl IntoView {
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
        removing.with(|object| object.as_ref().map(|object| object.name.clone()).unwrap_or_default())
    });
    let confirm = Callback::new(move |()| {
        let Some(object) = removing.get_untracked() else { return };
        let path = api::path::team(&team, &format!("sandbox-objects/{}", object.id));
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    toasts.good(text::removed(&object.name));
                    let _ = open.try_set(false);
                    objects.reload();
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
