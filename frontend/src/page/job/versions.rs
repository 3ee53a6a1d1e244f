//! Versions, the difference between any two of them or the draft, and the way back to an older one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::{Job, JobSettings, SaveDraft, Version, VersionSummary};
use millrace_wire::page::Page;

use super::context::{JobContext, use_job};
use crate::address::use_address;
use crate::api::{self, Failure};
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
use crate::widget::job_settings::changed;
use crate::widget::sql_diff::SqlDiff;

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
struct Side {
    name: String,
    sql: String,
    settings: JobSettings,
    /// The team's functions that it calls, in words.
    functions: Vec<String>,
}

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
    let sides = load(
        move || (from.get(), to.get(), revision.get()),
        move |(from, to, _)| async move {
            if from.is_empty() {
                return Ok(None);
            }
            Ok(Some((side(context, &from).await?, side(context, &to).await?)))
        },
    );
    view! {
        <Panel title=text::compare().to_owned()>
            <div class="compare-choice">
                <SelectField label=text::compare_left().to_owned() value=from options/>
                <SelectField label=text::compare_right().to_owned() value=to options/>
            </div>
            {sides.show(Shape::Lines(8), |sides| (move || sides.get().map(|(left, right)| {
                let settings = changed(&left.settings, &right.settings);
                view! {
                    {if settings.is_empty() {
                        view! { <p class="subtle rail-note">{text::settings_same()}</p> }.into_any()
                    } else {
                        view! {
                            <h3>{text::settings_differ()}</h3>
                            <ul class="settings-diff">
                                {settings.into_iter().map(|(name, old, new)| view! {
                                    <li><span class="muted">{name}</span>" "<del>{old}</del>" → "<ins>{new}</ins></li>
                                }).collect_view()}
                            </ul>
                        }.into_any()
                    }}
                    {[&left, &right].into_iter().filter(|side| !side.functions.is_empty()).map(|side| view! {
                        <p class="subtle rail-note">{text::functions_of(&side.name, side.functions.join(", "))}</p>
                    }).collect_view()}
                    <SqlDiff left_name=left.name left=left.sql right_name=right.name right=right.sql/>
                }
            })).into_any())}
        </Panel>
    }
    .into_any()
}

async fn side(context: JobContext, word: &str) -> Result<Side, Failure> {
    if word == DRAFT {
        let draft = context.job.value().with_untracked(|job| job.as_ref().map(|job| job.draft.clone()));
        return Ok(draft.map_or_else(
            || Side {
                name: text::draft().to_owned(),
                sql: String::new(),
                settings: JobSettings::default(),
                functions: Vec::new(),
            },
            |draft| Side {
                name: text::draft_of(&draft.updated_by),
                sql: draft.sql,
                settings: draft.settings,
                functions: Vec::new(),
            },
        ));
    }
    let number = word.parse::<u32>().unwrap_or_default();
    let version = api::get::<Version>(&context.path(&format!("versions/{number}"))).await?;
    let functions = version.functions.iter().map(|(name, pinned)| match pinned.newer {
        Some(newer) => text::function_behind(name, pinned.version, newer),
        None => text::function_at(name, pinned.version),
    });
    let functions = functions.collect();
    Ok(Side { name: text::version_name(number), sql: version.sql, settings: version.settings, functions })
}

/// Puts an old version into the draft; versions themselves never change.
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
        let revision = context.job.value().with_untracked(|job| job.as_ref().map(|job| job.draft.revision));
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = roll_back(context, number, revision.unwrap_or_default()).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(job) => {
                    context.set(job);
                    let _ = asks.try_set(false);
                    toasts.good(text::rolled_back(number));
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

async fn roll_back(context: JobContext, number: u32, revision: u32) -> Result<Job, Failure> {
    let version = api::get::<Version>(&context.path(&format!("versions/{number}"))).await?;
    let draft = SaveDraft { sql: version.sql, settings: version.settings, revision };
    api::put::<Job>(&context.path("draft"), &draft).await
}
