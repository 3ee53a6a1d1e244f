//! What other teams opened to this one, or to the person.

use leptos::prelude::*;
use millrace_wire::access::{ObjectKind, SharedObject};

use crate::api;
use crate::i18n::permissions as text;
use crate::load::load_all;
use crate::route::{JobTab, TableTab, TeamRoute};
use crate::ui::badge::Badge;
use crate::ui::empty_state::EmptyState;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn SharedTab(team: String) -> impl IntoView {
    let shared = load_all::<SharedObject>(api::path::team(&team, "shared"));
    view! {
        {shared.show(Shape::Rows(4), move |shared| (move || {
            let shared = shared.get();
            if shared.is_empty() {
                return view! { <EmptyState title=text::nothing_shared() body=text::nothing_shared_body()/> }.into_any();
            }
            let heads = vec![
                Head::text(text::name()),
                Head::text(text::kind()).fit(),
                Head::text(text::of_team()).fit(),
                Head::text(text::level()).fit(),
                Head::text(text::opened()).fit(),
                Head::text(text::in_sql()),
            ];
            view! { <Table label=text::shared_with_us() heads>{shared.into_iter().map(row).collect_view()}</Table> }.into_any()
        }).into_any())}
    }
    .into_any()
}

fn row(object: SharedObject) -> AnyView {
    let (kind, href) = match object.kind {
        ObjectKind::Job => {
            let id = object.id.parse().ok();
            (text::kind_job(), id.map(|id| TeamRoute::Job(id, JobTab::Overview).of(&object.team_slug).href()))
        }
        ObjectKind::Table => {
            let id = object.id.parse().ok();
            (text::kind_table(), id.map(|id| TeamRoute::Table(id, TableTab::Schema).of(&object.team_slug).href()))
        }
    };
    let sql = (object.kind == ObjectKind::Table).then(|| in_sql(&object));
    let opened = if object.personal { text::to_me() } else { text::to_us() };
    view! {
        <tr>
            <th scope="row"><a href=href>{object.name.clone()}</a></th>
            <td class="cell-fit"><Badge>{kind}</Badge></td>
            <td class="cell-fit">{object.team_name.clone()}</td>
            <td class="cell-fit">{object.level.as_str()}</td>
            <td class="cell-fit muted">{opened}</td>
            <td class="code">{sql}</td>
        </tr>
    }
    .into_any()
}

/// With backquotes around a short name that has dashes.
fn in_sql(object: &SharedObject) -> String {
    if object.team_slug.contains('-') {
        format!("`{}`.{}", object.team_slug, object.name)
    } else {
        format!("{}.{}", object.team_slug, object.name)
    }
}
