//! Savepoints and checkpoints that one can start from.

use leptos::prelude::*;
use millrace_wire::page::Page;
use millrace_wire::run::{RestoreKind, RestorePoint};
use millrace_wire::savepoint::RestorablePoint;

use super::context::use_job;
use crate::api;
use crate::clock::local;
use crate::format::bytes::bytes;
use crate::i18n::{job as text, job_actions, savepoints};
use crate::load::{Loaded, load};
use crate::ui::age::Ago;
use crate::ui::empty_state::EmptyState;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::widget::restorable::restorable_words;

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
    // Asked for by itself: clusters that do not answer keep nobody from seeing what there is.
    let restorable = load(
        || (),
        move |()| {
            let path = api::path::with_query(&context.path("restorable"), &[("limit", "500")]);
            async move { api::get::<Page<RestorablePoint>>(&path).await }
        },
    );
    Effect::new(move |before: Option<()>| {
        context.changes.track();
        if before.is_some() {
            points.reload();
            restorable.reload();
        }
    });
    view! {
        <div class="page job-list">
            {points.show(Shape::Rows(4), move |points| (move || {
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
                    Head::text(savepoints::restorable()),
                ];
                view! {
                    <Table label=text::savepoints() heads>{points.into_iter().map(|point| row(point, restorable)).collect_view()}</Table>
                    <p class="subtle rail-note">{text::start_from_it()}</p>
                }.into_any()
            }).into_any())}
        </div>
    }
    .into_any()
}

fn row(point: RestorePoint, restorable: Loaded<Page<RestorablePoint>>) -> AnyView {
    let (run, kind, number) = (point.run, point.kind, point.number);
    let until =
        move || until_words(restorable, move |other| (other.run, other.kind, other.number) == (run, kind, number));
    let kind = match point.kind {
        RestoreKind::Savepoint if point.scheduled => {
            format!("{}, {}", text::savepoint_one(), savepoints::by_schedule())
        }
        RestoreKind::Checkpoint => job_actions::checkpoint().to_owned(),
        RestoreKind::Savepoint => text::savepoint_one().to_owned(),
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
            <td>{until}</td>
        </tr>
    }
    .into_any()
}

fn until_words(restorable: Loaded<Page<RestorablePoint>>, is_this: impl Fn(&RestorablePoint) -> bool) -> AnyView {
    if let Some(failure) = restorable.failure().get() {
        return view! { <span class="muted">{savepoints::unknown(failure.sentence())}</span> }.into_any();
    }
    let found =
        restorable.with(|page| page.items.iter().find(|point| is_this(point)).map(|point| point.restorable.clone()));
    let (words, class) = match found {
        None => (savepoints::asking().to_owned(), "muted"),
        Some(None) => (savepoints::not_asked().to_owned(), "subtle"),
        Some(Some(found)) => restorable_words(&found),
    };
    view! { <span class=class>{words}</span> }.into_any()
}
