//! Scripts to begin with, for common tasks.

use leptos::prelude::*;
use millrace_wire::snippet::ScriptTemplate;

use super::desk::Desk;
use crate::i18n::library as text;
use crate::load::load_all;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn Templates(desk: Desk, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Dialog open title=text::templates().to_owned() class="dialog-wide">
            <p class="muted">{text::templates_body()}</p>
            {list(desk, open)}
        </Dialog>
    }
    .into_any()
}

fn list(desk: Desk, open: RwSignal<bool>) -> AnyView {
    let templates = load_all::<ScriptTemplate>("/templates".to_owned());
    let heads = || {
        vec![
            Head::text(text::name()).fit(),
            Head::text(text::description()),
            Head::text(text::actions()).silent().fit(),
        ]
    };
    templates.show(Shape::Rows(8), move |all| {
        (move || {
            let rows: Vec<AnyView> = all.get().into_iter().map(|template| row(template, desk, open)).collect();
            view! { <Table label=text::templates() heads=heads() compact=true>{rows}</Table> }.into_any()
        })
        .into_any()
    })
}

fn row(template: ScriptTemplate, desk: Desk, open: RwSignal<bool>) -> AnyView {
    let sql = template.sql;
    let put_in = move |()| {
        desk.bring(&sql);
        open.set(false);
        desk.sql.focus();
    };
    let title = text::use_this(&template.name);
    view! {
        <tr>
            <th scope="row" class="cell-fit">{template.name}</th>
            <td class="muted">{template.description}</td>
            <td class="cell-fit"><Button kind=Kind::Quiet small=true title on_press=put_in>{text::use_template()}</Button></td>
        </tr>
    }
    .into_any()
}
