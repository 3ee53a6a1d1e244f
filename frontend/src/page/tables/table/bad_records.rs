//! Records of the table that jobs could not decode: causes with their counts, and the records below.

use leptos::prelude::*;
use millrace_wire::bad_record::{BadRecord, BadRecordCause, DecodeCause, DecodedCause};
use millrace_wire::page::Page;
use millrace_wire::table::Table as TableOf;

use super::bad_record::RecordDialog;
use crate::address::use_address;
use crate::api::path::with_query;
use crate::api::{self, Failure};
use crate::format::number::grouped;
use crate::i18n::{bad_records as text, rights as right_text};
use crate::load::{Loaded, load};
use crate::route::{JobTab, TeamRoute};
use crate::ui::age::Ago;
use crate::ui::badge::Badge;
use crate::ui::button::{Button, Kind};
use crate::ui::callout::{Callout, Notice};
use crate::ui::confirm::Confirm;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::toast::use_toasts;

const AT_ONCE: u32 = 50;

/// What the tab, its panel and the dialog of a record share.
#[derive(Clone, Copy)]
pub(super) struct Inbox {
    pub(super) path: StoredValue<String>,
    pub(super) causes: Loaded<Page<BadRecordCause>>,
    pub(super) records: Loaded<Page<BadRecord>>,
    /// Why one may not replay and dismiss.
    pub(super) no_write: Signal<Option<String>>,
}

pub(super) fn load_causes(path: &str) -> Loaded<Page<BadRecordCause>> {
    let path = format!("{path}/bad-records/causes");
    load(
        || (),
        move |()| {
            let path = path.clone();
            async move { api::get::<Page<BadRecordCause>>(&path).await }
        },
    )
}

#[component]
pub(super) fn BadRecordsPanel(
    team: String,
    path: String,
    table: Signal<TableOf>,
    causes: Loaded<Page<BadRecordCause>>,
) -> impl IntoView {
    let address = use_address();
    let chosen = address.query("cause");
    let limit = RwSignal::new(AT_ONCE);
    let list = format!("{path}/bad-records");
    let of_list = list.clone();
    let records = load(
        move || (chosen.get(), limit.get()),
        move |(cause, limit): (Option<String>, u32)| {
            let query = [("cause", cause.unwrap_or_default()), ("limit", limit.to_string())];
            let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let path = with_query(&of_list, &query);
            async move { api::get::<Page<BadRecord>>(&path).await }
        },
    );
    let may_write = Memo::new(move |_| table.with(|table| table.access.operate));
    let no_write = Signal::derive(move || (!may_write.get()).then(|| right_text::needs_right().to_owned()));
    let inbox = Inbox { path: StoredValue::new(list), causes, records, no_write };
    // What came since is shown when the page is not being worked on: an open record keeps its list.
    let opened = address.query("record");
    let seen =
        Memo::new(move |_| causes.with(|page| page.items.iter().map(|cause| cause.kept + cause.not_kept).sum::<u64>()));
    Effect::new(move |before: Option<Option<u64>>| {
        let now = seen.get();
        if before.flatten().is_some_and(|before| Some(before) != now) && opened.get_untracked().is_none() {
            records.reload();
        }
        now
    });
    view! {
        {causes.show(Shape::Rows(3), move |page| {
            let is_empty = Memo::new(move |_| page.with(|page| page.items.is_empty()));
            let team = team.clone();
            (move || if is_empty.get() {
                view! { <EmptyState icon=Icon::Check title=text::empty() body=text::empty_body()/> }.into_any()
            } else {
                view! {
                    <Causes inbox causes=page chosen/>
                    <Records inbox team=team.clone() chosen limit/>
                }
                .into_any()
            })
            .into_any()
        })}
        <RecordDialog inbox/>
    }
    .into_any()
}

#[component]
fn Causes(inbox: Inbox, causes: Signal<Page<BadRecordCause>>, chosen: Memo<Option<String>>) -> impl IntoView {
    let address = use_address();
    let tried = RwSignal::new(None::<Result<DecodedCause, Failure>>);
    let trying = RwSignal::new(None::<String>);
    let dismissing = RwSignal::new(false);
    let going = RwSignal::new(None::<BadRecordCause>);
    let try_again = Callback::new(move |cause: String| {
        if trying.get_untracked().is_some() {
            return;
        }
        trying.set(Some(cause.clone()));
        let path = format!("{}/decode", inbox.path.get_value());
        leptos::task::spawn_local(async move {
            let answer = api::post::<DecodedCause>(&path, &DecodeCause { cause }).await;
            let _ = tried.try_set(Some(answer));
            let _ = trying.try_set(None);
        });
    });
    let heads = vec![
        Head::text(text::cause()),
        Head::number(text::kept()),
        Head::number(text::not_kept()),
        Head::number(text::replayed()).wide(),
        Head::number(text::first()).wide(),
        Head::number(text::last()),
        Head::text(text::actions()).fit().silent(),
    ];
    let row = move |cause: String| {
        let of = cause.clone();
        let now = Memo::new(move |_| causes.with(|page| page.items.iter().find(|known| known.cause == of).cloned()));
        let count = move |pick: fn(&BadRecordCause) -> u64| {
            move || now.with(|now| now.as_ref().map(|cause| grouped(pick(cause))).unwrap_or_default())
        };
        let time = move |pick: fn(&BadRecordCause) -> i64| {
            Signal::derive(move || now.with(|now| now.as_ref().map(pick).unwrap_or_default()))
        };
        let (of_press, of_choice, of_decode, of_busy) = (cause.clone(), cause.clone(), cause.clone(), cause.clone());
        let is_chosen = Signal::derive(move || chosen.get().as_deref() == Some(of_choice.as_str()));
        let choose = move |_| {
            let value = if is_chosen.get_untracked() { None } else { Some(of_press.as_str()) };
            address.set_query("cause", value);
        };
        let busy = Signal::derive(move || trying.get().as_deref() == Some(of_busy.as_str()));
        view! {
            <tr aria-selected=move || is_chosen.get().then_some("true")>
                <th scope="row">
                    <button type="button" class="bad-cause" aria-pressed=move || is_chosen.get().to_string()
                        title=text::only(&cause) on:click=choose>{cause.clone()}</button>
                </th>
                <td class="num cell-fit">{count(|cause| cause.kept)}</td>
                <td class="num cell-fit" title=text::not_kept_note()>{count(|cause| cause.not_kept)}</td>
                <td class="num cell-fit wide-only">{count(|cause| cause.replayed)}</td>
                <td class="num cell-fit wide-only subtle"><Ago at=time(|cause| cause.first_at)/></td>
                <td class="num cell-fit subtle"><Ago at=time(|cause| cause.last_at)/></td>
                <td class="cell-fit">
                    <Button small=true kind=Kind::Quiet title=text::decode_all(&cause) busy
                        on_press=move |()| try_again.run(of_decode.clone())>{text::decode_again()}</Button>
                    <Button small=true kind=Kind::DangerQuiet title=text::dismiss_all(&cause) reason=inbox.no_write
                        on_press=move |()| {
                            going.set(now.get_untracked());
                            dismissing.set(true);
                        }>{text::dismiss()}</Button>
                </td>
            </tr>
        }
        .into_any()
    };
    let names = move || causes.with(|page| page.items.iter().map(|cause| cause.cause.clone()).collect::<Vec<_>>());
    view! {
        <Panel title=text::causes().to_owned() count=Signal::derive(move || Some(causes.with(|page| page.total.to_string())))>
            <Table label=text::causes() heads compact=true>
                <For each=names key=|cause| cause.clone() let(cause)>{row(cause)}</For>
            </Table>
            <div role="status">
                {move || tried.get().map(|answer| match answer {
                    Ok(answer) => outcome(answer),
                    Err(failure) => view! { <FailureNote failure/> }.into_any(),
                })}
            </div>
        </Panel>
        <DismissCause inbox open=dismissing going/>
    }
    .into_any()
}

fn outcome(answer: DecodedCause) -> AnyView {
    let DecodedCause { decoded, failed, cut, reason } = answer;
    let notice = if failed == 0 && decoded > 0 { Notice::Info } else { Notice::Warn };
    view! {
        <Callout notice title=text::tried(grouped(decoded), grouped(decoded + failed))>
            {reason.map(|reason| view! { <p>{text::tried_first(reason)}</p> })}
            {(cut > 0).then(|| view! { <p>{text::tried_cut(grouped(cut))}</p> })}
            {(decoded > 0).then(|| view! { <p>{text::tried_replay()}</p> })}
        </Callout>
    }
    .into_any()
}

#[component]
fn DismissCause(inbox: Inbox, open: RwSignal<bool>, going: RwSignal<Option<BadRecordCause>>) -> impl IntoView {
    let address = use_address();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let consequences = Signal::derive(move || {
        let Some(cause) = going.get() else { return Vec::new() };
        vec![cause.cause, text::dismiss_records(grouped(cause.kept)), text::dismiss_note().to_owned()]
    });
    let confirm = Callback::new(move |()| {
        let Some(cause) = going.get_untracked() else { return };
        busy.set(true);
        failure.set(None);
        let path = with_query(&inbox.path.get_value(), &[("cause", &cause.cause)]);
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    let _ = open.try_set(false);
                    toasts.good(text::dismissed());
                    address.set_query("cause", None);
                    inbox.causes.reload();
                    inbox.records.reload();
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let error = Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)));
    view! {
        <Confirm open title=text::dismiss_title().to_owned() action=text::dismiss() busy error consequences on_confirm=confirm/>
    }
    .into_any()
}

#[component]
fn Records(inbox: Inbox, team: String, chosen: Memo<Option<String>>, limit: RwSignal<u32>) -> impl IntoView {
    let address = use_address();
    let team = StoredValue::new(team);
    let export = Signal::derive(move || {
        let cause = chosen.get().unwrap_or_default();
        format!("/api/v1{}", with_query(&format!("{}/export", inbox.path.get_value()), &[("cause", &cause)]))
    });
    let count = Signal::derive(move || {
        inbox.records.with(|page| text::of_all(grouped(page.items.len() as u64), grouped(page.total)))
    });
    let heads = || {
        vec![
            Head::text(text::place()).fit(),
            Head::text(text::value()),
            Head::text(text::job()).fit(),
            Head::number(text::met()),
        ]
    };
    view! {
        <Panel title=text::records().to_owned() count=count note=chosen end=move || view! {
            {move || chosen.get().map(|_| view! {
                <Button small=true kind=Kind::Quiet on_press=move |()| address.set_query("cause", None)>{text::all_causes()}</Button>
            })}
            <a class="button button-quiet button-small" href=move || export.get() download="">{Icon::Download.view()}{text::download()}</a>
        }>
            {inbox.records.show(Shape::Rows(6), move |page| {
                let is_empty = Memo::new(move |_| page.with(|page| page.items.is_empty()));
                let more = Memo::new(move |_| page.with(|page| page.next.is_some()));
                (move || if is_empty.get() {
                    view! { <EmptyState title=text::no_records() body=text::no_records_body()/> }.into_any()
                } else {
                    view! {
                        <Table label=text::records() heads=heads() compact=true>
                            <For
                                each=move || page.with(|page| page.items.clone())
                                key=|record| (record.id, record.replayed.as_ref().map(|replayed| replayed.times))
                                let(record)
                            >
                                {row(team.get_value(), record)}
                            </For>
                        </Table>
                        {move || more.get().then(|| view! {
                            <Button small=true on_press=move |()| limit.update(|limit| *limit = (*limit + AT_ONCE).min(1_000))>{text::more()}</Button>
                        })}
                    }
                    .into_any()
                })
                .into_any()
            })}
        </Panel>
    }
    .into_any()
}

fn row(team: String, record: BadRecord) -> AnyView {
    let address = use_address();
    let id = record.id.to_string();
    let job = match record.job {
        Some(job) => {
            let href = TeamRoute::Job(job.id, JobTab::Overview).of(&team).href();
            view! { <a class="link truncate" href=href>{job.name}</a> }.into_any()
        }
        None => view! { <span class="subtle">{text::other_job()}</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row" class="cell-fit">
                <button type="button" class="link bad-place" title=text::open(&record.split, record.offset)
                    on:click=move |_| address.set_query("record", Some(&id))>
                    {text::at_offset(&record.split, record.offset)}
                </button>
                {record.replayed.map(|_| view! { " "<Badge>{text::was_replayed()}</Badge> })}
            </th>
            <td class="code cell-clip" title=record.reason>{record.excerpt}</td>
            <td class="cell-fit">{job}</td>
            <td class="num cell-fit subtle"><Ago at=record.at/></td>
        </tr>
    }
    .into_any()
}
