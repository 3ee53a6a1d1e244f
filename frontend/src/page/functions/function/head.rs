//! Name, kind and what can be done with the function.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::function::FunctionKind;
use millrace_wire::user_function::{FunctionChange, FunctionLanguage, UserFunction};

use super::super::bring::{Bring, BringDialog};
use super::super::own::language;
use super::newest;
use crate::address::use_address;
use crate::api::path::with_query;
use crate::api::{self, Failure};
use crate::i18n::{functions as text, words};
use crate::rights::{Right, refusal};
use crate::route::{FunctionsTab, TeamRoute};
use crate::ui::badge::Badge;
use crate::ui::button::{Button, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::page_head::PageHead;
use crate::ui::text_area::TextArea;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn Head(
    team: String,
    path: String,
    function: Signal<UserFunction>,
    leaving: StoredValue<bool>,
) -> impl IntoView {
    let name = Signal::derive(move || function.with(|function| function.name.clone()));
    let functions = TeamRoute::Functions(FunctionsTab::Own).of(&team).href();
    let steps = Signal::derive(move || vec![(text::title().to_owned(), functions.clone())]);
    let editor = TeamRoute::Editor(None).of(&team).href();
    let query = Signal::derive(move || with_query(&editor, &[("sql", &function.with(statement))]));
    let (deleting, remarking, bringing) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let no_edit = refusal(Right::Edit);
    let items = Signal::derive(move || {
        vec![
            MenuItem::run(text::edit_remark(), Some(Icon::Settings), move || remarking.set(true)).unless(no_edit.get()),
            MenuItem::run(words::delete(), Some(Icon::Trash), move || deleting.set(true)).unless(no_edit.get()),
        ]
    });
    let note =
        move || {
            function.with(|function| {
                if function.remark.is_empty() { text::no_remark().to_owned() } else { function.remark.clone() }
            })
        };
    let what = Signal::derive(move || function.with(next_version));
    view! {
        <PageHead
            title=name
            steps=steps
            beside=move || view! {
                <Badge>{move || function.with(|function| newest(function).map_or("", |newest| newest.kind.as_str()))}</Badge>
                <Badge>{move || function.with(|function| newest(function).map_or("", |newest| language(newest.language)))}</Badge>
                <span class="subtle">{move || function.with(|function| newest(function).map(|newest| text::version_short(newest.number)))}</span>
            }
            note=move || view! { {note} }
            actions=move || view! {
                <Button small=true icon=Icon::Plus reason=no_edit on_press=move |()| bringing.set(true)>{text::new_version()}</Button>
                <LinkButton small=true kind=Kind::Primary icon=Icon::Play href=query>{text::use_in_editor()}</LinkButton>
                <Menu label=words::more_actions().to_owned() items>{Icon::More.view()}</Menu>
            }
        />
        <BringDialog open=bringing team=team.clone() what/>
        <RemarkDialog open=remarking path=path.clone() function/>
        <DeleteFunction open=deleting team path function leaving/>
    }
    .into_any()
}

/// A statement that calls it, to go on from.
fn statement(function: &UserFunction) -> String {
    let Some(newest) = newest(function) else { return String::new() };
    let arguments: Vec<&str> = newest.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let call = format!("{}({})", function.name, arguments.join(", "));
    match newest.kind {
        FunctionKind::Table => format!("SELECT * FROM my_table, LATERAL TABLE({call});"),
        _ => format!("SELECT {call} FROM my_table;"),
    }
}

fn next_version(function: &UserFunction) -> Bring {
    let newest = newest(function);
    Bring::Version {
        name: function.name.clone(),
        language: newest.map_or(FunctionLanguage::Wasm, |newest| newest.language),
        definition: newest.and_then(|newest| newest.definition.clone()),
        version: newest.map_or(0, |newest| newest.number),
    }
}

#[component]
fn RemarkDialog(open: RwSignal<bool>, path: String, function: Signal<UserFunction>) -> impl IntoView {
    let remark = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let toasts = use_toasts();
    Effect::new(move |_| {
        if open.get() {
            remark.set(function.with_untracked(|function| function.remark.clone()));
            failure.set(None);
        }
    });
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let (path, change) = (path.clone(), FunctionChange { remark: remark.get_untracked() });
        spawn_local(async move {
            // The live event brings the new remark to the page.
            let answer = api::patch::<UserFunction>(&path, &change).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(_) => {
                    toasts.good(text::remark_saved().to_owned());
                    let _ = open.try_set(false);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{words::save()}</Button>
        }
    };
    view! {
        <Dialog open title=text::edit_remark().to_owned() foot=foot>
            <TextArea label=text::remark().to_owned() value=remark rows=4 help=text::remark_help().to_owned()/>
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}

#[component]
fn DeleteFunction(
    open: RwSignal<bool>,
    team: String,
    path: String,
    function: Signal<UserFunction>,
    leaving: StoredValue<bool>,
) -> impl IntoView {
    let address = use_address();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let name = move || function.with(|function| function.name.clone());
    let confirm = Callback::new(move |()| {
        busy.set(true);
        leaving.set_value(true);
        failure.set(None);
        let (path, team, deleted) = (path.clone(), team.clone(), text::deleted(untrack(name)));
        spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    open.set(false);
                    toasts.good(deleted);
                    address.go(&TeamRoute::Functions(FunctionsTab::Own).of(&team));
                }
                Err(refusal) => {
                    let _ = leaving.try_set_value(false);
                    failure.set(Some(refusal));
                }
            }
            busy.set(false);
        });
    });
    let error = Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)));
    view! {
        <Confirm open title=Signal::derive(move || text::delete_title(name())) action=words::delete() busy=busy error=error
            on_confirm=confirm consequences=Signal::derive(|| vec![text::delete_body().to_owned()])/>
    }
    .into_any()
}
