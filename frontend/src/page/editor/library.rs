//! What one can begin with and put in: templates of scripts, and the snippets of the team.

use leptos::prelude::*;

use super::desk::Desk;
use super::snippets::{EditSnippet, SnippetList, Subject};
use super::templates::Templates;
use crate::i18n::library as text;
use crate::rights::{Right, refusal};
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};

#[component]
pub(super) fn Library(desk: Desk) -> impl IntoView {
    let (templates, snippets) = (RwSignal::new(false), RwSignal::new(false));
    let editing = RwSignal::new(None::<Subject>);
    let may_edit = refusal(Right::Edit);
    let sql = desk.sql.text();
    let empty = Memo::new(move |_| sql.with(|sql| sql.trim().is_empty()));
    let items = Signal::derive(move || {
        let refused = may_edit.get();
        let nothing = empty.get().then(|| text::nothing_to_save().to_owned());
        vec![
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
