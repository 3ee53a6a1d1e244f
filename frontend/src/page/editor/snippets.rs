//! The team's snippets: put in at the caret, saved from the selection, changed, deleted.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::live::LiveEvent;
use millrace_wire::snippet::{Snippet, SnippetDraft};

use super::desk::Desk;
use crate::api::{self, Failure};
use crate::i18n::{library as text, words};
use crate::live::use_live;
use crate::load::load_all;
use crate::rights::{Right, refusal};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::dialog::Dialog;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;

/// What is being edited.
#[derive(Clone, PartialEq)]
pub(super) enum Subject {
    /// With this SQL.
    New(String),
    Known(Snippet),
}

const FIELDS: &[&str] = &["name", "description", "sql"];

#[component]
pub(super) fn SnippetList(desk: Desk, open: RwSignal<bool>, editing: RwSignal<Option<Subject>>) -> impl IntoView {
    let deleting = RwSignal::new(None::<Snippet>);
    view! {
        <Dialog open title=text::snippets().to_owned() class="dialog-wide">{list(desk, open, editing, deleting)}</Dialog>
        <DeleteSnippet desk deleting/>
    }
    .into_any()
}

fn list(
    desk: Desk,
    open: RwSignal<bool>,
    editing: RwSignal<Option<Subject>>,
    deleting: RwSignal<Option<Snippet>>,
) -> AnyView {
    let snippets = load_all::<Snippet>(desk.path("snippets"));
    use_live().on(move |event| {
        if matches!(event, LiveEvent::SnippetsChanged | LiveEvent::Reset) {
            snippets.reload();
        }
    });
    let heads = || {
        vec![
            Head::text(text::name()).fit(),
            Head::text(text::description()),
            Head::text(text::actions()).silent().fit(),
        ]
    };
    snippets.show(Shape::Rows(4), move |all| {
        (move || {
            let all = all.get();
            if all.is_empty() {
                return view! { <EmptyState icon=Icon::List title=text::no_snippets() body=text::no_snippets_body()/> }
                    .into_any();
            }
            let rows: Vec<AnyView> =
                all.into_iter().map(|snippet| row(snippet, desk, open, editing, deleting)).collect();
            view! { <Table label=text::snippets() heads=heads() compact=true>{rows}</Table> }.into_any()
        })
        .into_any()
    })
}

fn row(
    snippet: Snippet,
    desk: Desk,
    open: RwSignal<bool>,
    editing: RwSignal<Option<Subject>>,
    deleting: RwSignal<Option<Snippet>>,
) -> AnyView {
    let (name, description, sql) = (snippet.name.clone(), snippet.description.clone(), snippet.sql.clone());
    let (insert, edit, delete) = (text::insert_this(&name), text::edit_this(&name), text::delete_this(&name));
    let own = StoredValue::new(snippet);
    let title = sql.clone();
    let put_in = move |()| {
        desk.sql.insert(&sql);
        open.set(false);
        desk.sql.focus();
    };
    let change = move |()| {
        open.set(false);
        editing.set(Some(Subject::Known(own.get_value())));
    };
    view! {
        <tr>
            <th scope="row" class="cell-fit" title=title>{name}</th>
            <td class="muted cell-clip" title=description.clone()>{description.clone()}</td>
            <td class="cell-fit"><span class="row">
                <Button kind=Kind::Quiet small=true title=insert reason=refusal(Right::Edit) on_press=put_in>{text::insert()}</Button>
                <Button kind=Kind::Quiet small=true title=edit reason=refusal(Right::Edit) on_press=change>{words::edit()}</Button>
                <IconButton small=true icon=Icon::Trash label=delete reason=refusal(Right::Edit) on_press=move |()| deleting.set(Some(own.get_value()))/>
            </span></td>
        </tr>
    }
    .into_any()
}

#[component]
pub(super) fn EditSnippet(desk: Desk, editing: RwSignal<Option<Subject>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let (name, description, sql) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        let Some(subject) = editing.get() else { return };
        failure.set(None);
        let (of_name, of_description, of_sql) = match subject {
            Subject::New(sql) => (String::new(), String::new(), sql),
            Subject::Known(snippet) => (snippet.name, snippet.description, snippet.sql),
        };
        name.set(of_name);
        description.set(of_description);
        sql.set(of_sql);
        open.set(true);
    });
    Effect::new(move |_| {
        if !open.get() {
            editing.set(None);
        }
    });
    let title = Signal::derive(move || match editing.get() {
        Some(Subject::Known(snippet)) => text::edit_title(snippet.name),
        _ => text::new_title().to_owned(),
    });
    let save = Callback::new(move |()| {
        let Some(subject) = editing.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        let body = SnippetDraft {
            name: name.get_untracked().trim().to_owned(),
            description: description.get_untracked(),
            sql: sql.get_untracked(),
        };
        busy.set(true);
        failure.set(None);
        let base = desk.path("snippets");
        spawn_local(async move {
            let answer = match subject {
                Subject::New(_) => api::post::<Snippet>(&base, &body).await,
                Subject::Known(known) => api::put::<Snippet>(&format!("{base}/{}", known.id), &body).await,
            };
            let _ = busy.try_set(false);
            match answer {
                Ok(snippet) => {
                    desk.toasts.good(text::saved(snippet.name));
                    let _ = open.try_set(false);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let other = move || failure.get().filter(|failure| !failure.is_only_at(FIELDS));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy on_press=save>{words::save()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <TextField label=text::name().to_owned() value=name autofocus=true help=text::name_help().to_owned() error=at("name")/>
                <TextField label=text::description().to_owned() value=description is_optional=true error=at("description")/>
                <TextArea label=text::sql().to_owned() value=sql code=true rows=8 error=at("sql")/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}

#[component]
fn DeleteSnippet(desk: Desk, deleting: RwSignal<Option<Snippet>>) -> impl IntoView {
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
    let name = move || deleting.with(|one| one.as_ref().map(|one| one.name.clone()).unwrap_or_default());
    let confirm = Callback::new(move |()| {
        let Some(snippet) = deleting.get_untracked() else { return };
        busy.set(true);
        let path = desk.path(&format!("snippets/{}", snippet.id));
        spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    desk.toasts.good(text::deleted(&snippet.name));
                    let _ = open.try_set(false);
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
            title=Signal::derive(move || text::delete_title(name()))
            action=words::delete()
            busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences=Signal::derive(|| vec![text::delete_body().to_owned()])
            on_confirm=confirm
        />
    }
    .into_any()
}
