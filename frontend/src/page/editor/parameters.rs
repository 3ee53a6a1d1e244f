//! What the parameters of the text stand for, beside the text.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::page::Page;
use millrace_wire::variable::{ListParameters, ScriptParameter};

use super::desk::Desk;
use crate::api;
use crate::i18n::variables as text;
use crate::route::TeamRoute;
use crate::ui::badge::Badge;

#[component]
pub(super) fn Parameters(desk: Desk) -> impl IntoView {
    let parameters = RwSignal::new(Vec::<ScriptParameter>::new());
    let asked = StoredValue::new(0_u32);
    // Asked after each check: that comes after typing, and when a variable was changed.
    Effect::new(move |_| {
        desk.validation.track();
        let sql = desk.sql.current();
        let number = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        if !sql.contains("${") {
            parameters.set(Vec::new());
            return;
        }
        let path = desk.path("sql/parameters");
        spawn_local(async move {
            let answer = api::post::<Page<ScriptParameter>>(&path, &ListParameters { sql }).await;
            // What was typed meanwhile makes this answer one to another question.
            if let (Ok(page), true) = (answer, asked.try_get_value() == number) {
                let _ = parameters.try_set(page.items);
            }
        });
    });
    let some = Memo::new(move |_| parameters.with(|parameters| !parameters.is_empty()));
    let page = desk.team.with_value(|team| TeamRoute::Variables.of(team).href());
    view! {
        {move || some.get().then(|| {
            let page = page.clone();
            view! {
                <h2>{text::used()}</h2>
                <ul class="ide-note ide-parameters" aria-label=text::used()>
                    {move || parameters.get().into_iter().map(|parameter| line(desk, parameter)).collect_view()}
                </ul>
                <p class="ide-note"><a class="link" href=page>{text::manage()}</a></p>
            }
        })}
    }
    .into_any()
}

fn line(desk: Desk, parameter: ScriptParameter) -> AnyView {
    let ScriptParameter { name, known, secret, value, is_default, description, places } = parameter;
    let first = places.into_iter().next();
    let show = move |_: leptos::ev::MouseEvent| {
        if let Some(place) = &first {
            desk.sql.select(place);
        }
    };
    let stands_for = match (value, secret) {
        (_, true) => view! { <Badge>{text::secret()}</Badge> }.into_any(),
        (Some(value), _) if value.is_empty() => view! { <span class="subtle">{text::empty_value()}</span> }.into_any(),
        (Some(value), _) => view! { <span class="code">{value}</span> }.into_any(),
        (None, _) => view! { <span class="bad">{text::unknown()}</span> }.into_any(),
    };
    let note = (is_default && !known).then(text::of_script);
    view! {
        <li title=description>
            <button type="button" class="link-button code" on:click=show>{name}</button>
            " "{stands_for}
            {note.map(|note| view! { " "<span class="subtle">{note}</span> })}
        </li>
    }
    .into_any()
}
