//! What one can begin with and put in: templates of scripts, and the snippets of the team.

use leptos::prelude::*;

use super::desk::Desk;
use super::snippets::{EditSnippet, SnippetList, Subject};
use super::templates::Templates;
use crate::i18n::{builder, library as text};
use crate::rights::{Right, refusal};
use crate::ui::button::Button;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};

/// Dialogs that one can begin with.
#[derive(Clone, Copy)]
pub(super) struct Begins {
    pub(super) form: RwSignal<bool>,
    pub(super) templates: RwSignal<bool>,
}

impl Begins {
    pub(super) fn new() -> Begins {
        Begins { form: RwSignal::new(false), templates: RwSignal::new(false) }
    }
}

/// Shown as long as nothing is written.
#[component]
pub(super) fn Beginning(desk: Desk, begins: Begins) -> impl IntoView {
    let sql = desk.sql.text();
    let refused = refusal(Right::Edit);
    let shown = Memo::new(move |_| sql.with(|sql| sql.trim().is_empty()) && refused.with(Option::is_none));
    view! {
        {move || shown.get().then(|| view! {
            <div class="ide-begin">
                <span class="muted">{builder::begin()}</span>
                <Button small=true icon=Icon::Tables on_press=move |()| begins.form.set(true)>{builder::begin_form()}</Button>
                <Button small=true icon=Icon::Plus on_press=move |()| begins.templates.set(true)>{builder::begin_template()}</Button>
            </div>
        })}
    }
    .into_any()
}

#[component]
pub(super) fn Library(desk: Desk, begins: Begins) -> impl IntoView {
    let Begins { form, templates } = begins;
    let snippets = RwSignal::new(false);
    let editing = RwSignal::new(None::<Subject>);
    let may_edit = refusal(Right::Edit);
    let sql = desk.sql.text();
    let empty = Memo::new(move |_| sql.with(|sql| sql.trim().is_empty()));
    let items = Signal::derive(move || {
        let refused = may_edit.get();
        let nothing = empty.get().then(|| text::nothing_to_save().to_owned());
        vec![
            MenuItem::run(builder::build_by_form(), Some(Icon::Tables), move || form.set(true)).unless(refused.clone()),
            MenuItem::run(text::from_template(), Some(Icon::Plus), move || templates.set(true)).unless(refused.clone()),
            MenuItem::run(text::insert_snippet(), Some(Icon::List), move || snippets.set(true)),
            MenuItem::run(text::save_snippet(), Some(Icon::Save), move || {
                editing.set(Some(Subject::New(chosen(desk))))
            })
            .unless(refused.or(nothing)),
        ]
    });
    view! {
        <Menu label=Signal::derive(|| text::library().to_owned()) class="icon-button icon-button-small" from_start=true items>{Icon::List.view()}</Menu>
        <Templates desk open=templates/>
        <SnippetList desk open=snippets editing/>
        <EditSnippet desk editing/>
    }
    .into_any()
}

/// The selection; else the whole tab.
fn chosen(desk: Desk) -> String {
    let sql = desk.sql.current();
    let (from, to) = desk.sql.selection().get_untracked();
    let selected = usize::try_from(from).ok().zip(usize::try_from(to).ok()).and_then(|(from, to)| sql.get(from..to));
    selected.filter(|selected| !selected.trim().is_empty()).unwrap_or(&sql).to_owned()
}
