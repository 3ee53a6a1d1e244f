//! Savepoints and checkpoints that one can start from.

use leptos::prelude::*;
use millrace_wire::page::Page;
use millrace_wire::run::{RestoreKind, RestorePoint};

use super::context::use_job;
use crate::api;
use crate::clock::local;
use crate::format::bytes::bytes;
use crate::i18n::{job as text, job_actions};
use crate::load::load;
use crate::ui::age::Ago;
use crate::ui::empty_state::EmptyState;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn Savepoints() -> impl IntoView {
    let context = use_job();
    let points = load(
        || (),
        move |()| {
            let path = context.path("savepoints");
            async move { api::get::<Page<RestorePoint>>(&path).await }
        },
    );
    Effect::new(move |before: Option<()>| {
        context.changes.track();
        if before.is_some() {
            points.reload();
        }
    });
    view! {
        <div class="page job-list">
            {points.show(Shape::Rows(4), |points| (move || {
                let points = points.get().items;
                if points.is_empty() {
                    return view! { <EmptyState title=text::no_savepoints() body=text::no_savepoints_body()/> }.into_any();
                }
                let heads = vec![
                    Head::text(text::savepoint_number()),
                    Head::text(text::savepoint_kind()),
                    Head::number(text::run()),
                    Head::text(text::version()),
                    Head::number(text::size()),
                    Head::text(text::by()),
                    Head::number(text::taken()),
                    Head::text(text::fits()),
                ];
                view! {
                    <Table label=text::savepoints() heads>{points.into_iter().map(row).collect_view()}</Table>
                    <p class="subtle rail-note">{text::start_from_it()}</p>
                }.into_any()
            }).into_any())}
        </div>
    }
    .into_any()
}

fn row(point: RestorePoint) -> AnyView {
    let kind = match point.kind {
        RestoreKind::Checkpoint => job_actions::checkpoint(),
        RestoreKind::Savepoint => text::savepoint_one(),
    };
    let by = if point.by.is_empty() { text::platform().to_owned() } else { point.by };
    view! {
        <tr>
            <th scope="row">{point.number}</th>
            <td>{kind}</td>
            <td class="num">{point.run_number}</td>
            <td>{text::version_name(point.version)}</td>
            <td class="num">{bytes(point.bytes)}</td>
            <td class="muted">{by}</td>
            <td class="num muted" title=local(point.at).full()><Ago at=point.at/></td>
            <td>{if point.incompatible.is_empty() {
                view! { <span class="good">{text::fits_whole()}</span> }.into_any()
            } else {
                let lines = point.incompatible.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
                view! { <ul class="warn">{lines}</ul> }.into_any()
            }}</td>
        </tr>
    }
    .into_any()
}
