//! Versions, the difference between any two of them or the draft, and the way back to an older one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::{Version, VersionSummary};
use millrace_wire::page::Page;
use millrace_wire::report::VersionDiff;

use super::context::use_job;
use crate::address::use_address;
use crate::api;
use crate::i18n::job as text;
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::ui::age::Ago;
use crate::ui::button::{Button, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::empty_state::EmptyState;
use crate::ui::panel::Panel;
use crate::ui::select_field::SelectField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::toast::use_toasts;
use crate::widget::deployment::Difference;

const DRAFT: &str = "draft";

#[component]
pub(super) fn Versions() -> impl IntoView {
    let context = use_job();
    let versions = load(
        || (),
        move |()| {
            let path = api::path::with_query(&context.path("versions"), &[("limit", "200")]);
            async move { api::get::<Page<VersionSummary>>(&path).await }
        },
    );
    Effect::new(move |before: Option<()>| {
        context.changes.track();
        if before.is_some() {
            versions.reload();
        }
    });
    let chosen = RwSignal::new(None::<u32>);
    let asks = RwSignal::new(false);
    view! {
        <div class="page job-list">
            {versions.show(Shape::Rows(4), move |versions| view! {
                {move || if versions.with(|page| page.items.is_empty()) {
                    view! { <EmptyState title=text::no_versions() body=text::no_versions_body()/> }.into_any()
                } else {
                    let rows = versions.get().items.into_iter().map(|version| row(version, chosen, asks)).collect_view();
                    let heads = vec![
                        Head::text(text::version()),
                        Head::text(text::comment()),
                        Head::text(text::by()),
                        Head::number(text::created()),
                        Head::text(text::rollback()).silent(),
                    ];
                    view! { <Table label=text::versions() heads>{rows}</Table> }.into_any()
                }}
                <Compare versions/>
            }.into_any())}
        </div>
        <Rollback chosen asks/>
    }
    .into_any()
}

fn row(version: VersionSummary, chosen: RwSignal<Option<u32>>, asks: RwSignal<bool>) -> AnyView {
    let may = refusal(Right::Edit);
    let number = version.number;
    let choose = Callback::new(move |()| {
        chosen.set(Some(number));
        asks.set(true);
    });
    view! {
        <tr>
            <th scope="row">{text::version_name(number)}</th>
            <td class="muted">{version.comment}</td>
            <td>{version.created_by}</td>
            <td class="num muted"><Ago at=version.created_at/></td>
            <td class="num"><Button kind=Kind::Quiet small=true reason=may on_press=choose>{text::rollback()}</Button></td>
        </tr>
    }
    .into_any()
}

#[component]
fn Compare(versions: Signal<Page<VersionSummary>>) -> impl IntoView {
    let context = use_job();
    let address = use_address();
    let (from_word, to_word) = (address.query("from"), address.query("to"));
    let newest = Memo::new(move |_| versions.with(|page| page.items.first().map(|version| version.number)));
    let from = RwSignal::new(from_word.get_untracked().unwrap_or_default());
    let to = RwSignal::new(to_word.get_untracked().unwrap_or_else(|| DRAFT.to_owned()));
    Effect::new(move |_| {
        if from.with_untracked(String::is_empty)
            && let Some(newest) = newest.get()
        {
            from.set(newest.to_string());
        }
    });
    Effect::new(move |before: Option<()>| {
        let (from, to) = (from.get(), to.get());
        if before.is_some() {
            address.set_query("from", Some(&from));
            address.set_query("to", Some(&to));
        }
    });
    let options = Signal::derive(move || {
        let mut all = vec![(DRAFT.to_owned(), text::draft().to_owned())];
        versions.with(|page| {
            all.extend(
                page.items.iter().map(|version| (version.number.to_string(), text::version_name(version.number))),
            );
        });
        all
    });
    let revision = Memo::new(move |_| context.job.with(|job| job.draft.revision));
    let found = load(
        move || (from.get(), to.get(), revision.get()),
        move |(from, to, _)| async move {
            if from.is_empty() {
                return Ok(None);
            }
            let path = api::path::with_query(&context.path("diff"), &[("from", &from), ("to", &to)]);
            api::get::<VersionDiff>(&path).await.map(Some)
        },
    );
    view! {
        <Panel title=text::compare().to_owned()>
            <div class="compare-choice">
                <SelectField label=text::compare_left().to_owned() value=from options/>
                <SelectField label=text::compare_right().to_owned() value=to options/>
            </div>
            {found.show(Shape::Lines(8), |found| (move || found.get().map(|diff| view! { <Difference diff/> })).into_any())}
        </Panel>
    }
    .into_any()
}

/// Makes an older version the draft and freezes it as a new one; versions themselves never change.
#[component]
fn Rollback(chosen: RwSignal<Option<u32>>, asks: RwSignal<bool>) -> impl IntoView {
    let context = use_job();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    let number = move || chosen.get().unwrap_or_default();
    let consequences = Signal::derive(move || {
        let lost = context.job.with(|job| job.draft.differs).unwrap_or(false);
        let mut lines = vec![text::rollback_body(number())];
        if lost {
            lines.push(text::rollback_lost().to_owned());
        }
        lines
    });
    let confirm = Callback::new(move |()| {
        let number = chosen.get_untracked().unwrap_or_default();
        let path = context.path(&format!("versions/{number}/rollback"));
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = api::post::<Version>(&path, &()).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(version) => {
                    context.job.reload();
                    context.changes.update(|count| *count = count.wrapping_add(1));
                    let _ = asks.try_set(false);
                    toasts.good(text::rolled_back(number, version.summary.number));
                }
                Err(failure) => {
                    let _ = error.try_set(Some(failure.sentence()));
                }
            }
        });
    });
    view! {
        <Confirm open=asks title=Signal::derive(move || text::rollback_title(number())) consequences
            action=text::rollback() busy error on_confirm=confirm/>
    }
    .into_any()
}
