//! Who did what, when, from where; what it was before and after; and whether the trail is whole.

use leptos::prelude::*;
use millrace_wire::audit::{AuditChain, AuditEntry, AuditFormat, AuditOutcome};
use millrace_wire::page::Page;

use super::audit_entry::EntryDialog;
use crate::address::use_address;
use crate::api::path::with_query;
use crate::api::{self, Failure};
use crate::clock::{local, now};
use crate::format::number::{counted, grouped};
use crate::i18n::{access as text, words};
use crate::load::load;
use crate::session::use_session;
use crate::ui::badge::{Badge, Tone};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::callout::{Callout, Notice};
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::search_field::SearchField;
use crate::ui::segmented::Segmented;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

const HOUR_MS: i64 = 3_600_000;
/// What can be chosen as "since", as the word in the address.
const PERIODS: [(&str, i64); 4] =
    [("1h", HOUR_MS), ("24h", 24 * HOUR_MS), ("7d", 168 * HOUR_MS), ("30d", 720 * HOUR_MS)];

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq)]
struct Question {
    words: String,
    person: String,
    outcome: String,
    since: String,
    /// All teams, for an administrator.
    whole_server: bool,
}

impl Question {
    fn path(&self, team: &str, rest: &str, more: &[(&str, &str)]) -> String {
        let base = if self.whole_server { "/audit".to_owned() } else { api::path::team(team, "audit") };
        let period = PERIODS.iter().find(|(word, _)| *word == self.since);
        let from = period.map(|(_, length)| (now() - length).to_string()).unwrap_or_default();
        let own = [
            ("q", self.words.as_str()),
            ("person", self.person.as_str()),
            ("outcome", self.outcome.as_str()),
            ("from", from.as_str()),
        ];
        with_query(&format!("{base}{rest}"), &[&own, more].concat())
    }
}

#[component]
pub(super) fn AuditTab(team: String) -> impl IntoView {
    let address = use_address();
    let part = |name| address.query(name);
    let (q, person, outcome, since, scope) = (part("q"), part("person"), part("outcome"), part("since"), part("scope"));
    let question = Memo::new(move |_| Question {
        words: q.get().unwrap_or_default(),
        person: person.get().unwrap_or_default(),
        outcome: outcome.get().filter(|word| word.parse::<AuditOutcome>().is_ok()).unwrap_or_default(),
        since: since.get().unwrap_or_default(),
        whole_server: scope.get().as_deref() == Some("server"),
    });
    let own = StoredValue::new(team);
    let first = load(
        move || question.get(),
        move |question| {
            let path = own.with_value(|team| question.path(team, "", &[]));
            async move { api::get::<Page<AuditEntry>>(&path).await }
        },
    );
    let opened = RwSignal::new(None::<AuditEntry>);
    let choose_outcome = Callback::new(move |chosen: Option<AuditOutcome>| {
        address.set_query("outcome", chosen.map(AuditOutcome::as_str));
    });
    let total = move || first.with(|page| counted(page.total, text::entry(), text::entries()));
    view! {
        <div class="filter-bar">
            <SearchField small=true rests=true label=text::audit_filter() value=Signal::derive(move || question.get().words)
                on_input=move |value: String| address.set_query("q", Some(&value))/>
            <Segmented label=text::audit_outcome() options=outcomes()
                value=Signal::derive(move || question.with(|question| question.outcome.parse().ok()))
                on_choose=choose_outcome/>
            <select class="select select-small" aria-label=text::audit_since()
                on:change=move |event| address.set_query("since", Some(&event_target_value(&event)))>
                <option value="" selected=move || question.with(|question| question.since.is_empty())>{text::audit_any_time()}</option>
                {PERIODS.iter().map(|(word, _)| view! {
                    <option value=*word selected=move || question.with(|question| question.since == *word)>{text::audit_last(word)}</option>
                }).collect_view()}
            </select>
            {scope_choice(question)}
            {move || {
                let person = question.with(|question| question.person.clone());
                (!person.is_empty()).then(|| view! {
                    <span class="chip chip-on"><span class="chip-name">{text::audit_who()}</span>{person}
                        <IconButton icon=Icon::Close small=true label=text::audit_anybody()
                            on_press=move |()| address.set_query("person", None)/>
                    </span>
                })
            }}
            <span class="grow"></span>
            <span class="subtle small">{total}</span>
            {exports(own, question)}
        </div>
        <ChainCheck team=own question/>
        {first.show(Shape::Rows(8), move |page| (move || {
            let page = page.get();
            if page.items.is_empty() {
                return view! { <EmptyState title=text::audit_nothing() body=text::audit_nothing_body()/> }.into_any();
            }
            view! { <Entries team=own question page opened/> }.into_any()
        }).into_any())}
        <EntryDialog opened/>
    }
    .into_any()
}

fn outcomes() -> Vec<(Option<AuditOutcome>, String)> {
    vec![
        (None, text::audit_all().to_owned()),
        (Some(AuditOutcome::Done), text::audit_done().to_owned()),
        (Some(AuditOutcome::Refused), text::audit_refused().to_owned()),
    ]
}

/// Administrators may read the trail of the whole server.
fn scope_choice(question: Memo<Question>) -> Option<AnyView> {
    let session = use_session();
    let address = use_address();
    let administrator =
        session.current.with_untracked(|session| session.as_ref().is_some_and(|session| session.user.administrator));
    administrator.then(|| {
        view! {
            <Segmented label=text::audit_scope()
                options=vec![(false, text::audit_this_team().to_owned()), (true, text::audit_server().to_owned())]
                value=Signal::derive(move || question.with(|question| question.whole_server))
                on_choose=move |whole: bool| address.set_query("scope", whole.then_some("server"))/>
        }
        .into_any()
    })
}

fn exports(team: StoredValue<String>, question: Memo<Question>) -> AnyView {
    let items = Signal::derive(move || {
        let question = question.get();
        let item = |format: AuditFormat, label: &str| {
            let path = team.with_value(|team| question.path(team, "/export", &[("format", format.as_str())]));
            MenuItem::go(label, Some(Icon::Download), format!("/api/v1{path}"))
        };
        vec![item(AuditFormat::Csv, text::audit_csv()), item(AuditFormat::JsonLines, text::audit_jsonl())]
    });
    view! { <Menu label=text::audit_export().to_owned() worded=true class="button button-small" items>{text::audit_export()}</Menu> }
        .into_any()
}

/// Follows the chain of hashes on the server when asked to.
#[component]
fn ChainCheck(team: StoredValue<String>, question: Memo<Question>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let found = RwSignal::new(None::<Result<AuditChain, Failure>>);
    let check = move |()| {
        busy.set(true);
        let asked =
            Question { whole_server: question.with_untracked(|question| question.whole_server), ..Question::default() };
        let path = team.with_value(|team| asked.path(team, "/verify", &[]));
        leptos::task::spawn_local(async move {
            found.set(Some(api::get::<AuditChain>(&path).await));
            busy.set(false);
        });
    };
    view! {
        <div class="pager" aria-live="polite">
            <Button small=true icon=Icon::Check busy=busy on_press=check>{text::audit_check()}</Button>
            {move || match found.get() {
                None => view! { <span class="subtle">{text::audit_check_note()}</span> }.into_any(),
                Some(Err(failure)) => view! { <FailureNote failure/> }.into_any(),
                Some(Ok(AuditChain { broken_at: Some(seq), .. })) => view! {
                    <Callout notice=Notice::Bad title=text::audit_broken_title()>{text::audit_broken(grouped(u64::try_from(seq).unwrap_or(0)))}</Callout>
                }
                .into_any(),
                Some(Ok(chain)) => view! {
                    <span>{text::audit_holds(grouped(chain.entries))}" "<code>{chain.last_hash}</code></span>
                }
                .into_any(),
            }}
        </div>
    }
    .into_any()
}

/// The first page and, on demand, those after it.
#[component]
fn Entries(
    team: StoredValue<String>,
    question: Memo<Question>,
    page: Page<AuditEntry>,
    opened: RwSignal<Option<AuditEntry>>,
) -> impl IntoView {
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let more = move |()| {
        let Some(cursor) = next.get_untracked() else { return };
        let path = team.with_value(|team| question.get_untracked().path(team, "", &[("cursor", &cursor)]));
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::get::<Page<AuditEntry>>(&path).await {
                Ok(page) => {
                    failure.set(None);
                    rows.update(|rows| rows.extend(page.items));
                    next.set(page.next);
                }
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    };
    let heads = vec![
        Head::text(text::audit_when()).fit(),
        Head::text(text::audit_who()).fit(),
        Head::text(text::audit_what()),
        Head::text(text::audit_outcome()).fit(),
        Head::text(text::audit_from()).fit().wide(),
        Head::text(text::audit_details()).silent().fit(),
    ];
    view! {
        <Table label=text::audit() heads sticky=true>
            <For each=move || rows.get() key=|entry| entry.seq let(entry)>{row(entry, opened)}</For>
        </Table>
        {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        {move || next.with(Option::is_some).then(|| view! {
            <p class="pager"><Button small=true busy=busy on_press=more>{words::load_more()}</Button></p>
        })}
    }
    .into_any()
}

fn row(entry: AuditEntry, opened: RwSignal<Option<AuditEntry>>) -> AnyView {
    let address = use_address();
    let at = local(entry.at);
    let done = entry.outcome == AuditOutcome::Done.as_str();
    let person = entry.person.clone();
    let who = if person.is_empty() {
        view! { <span class="subtle">{text::audit_nobody()}</span> }.into_any()
    } else {
        let label = text::audit_only(&person);
        let chosen = person.clone();
        view! {
            <Button kind=Kind::Quiet small=true title=label on_press=move |()| address.set_query("person", Some(&chosen))>{person}</Button>
        }
        .into_any()
    };
    let (what, object, origin) = (entry.what.clone(), entry.object.clone(), entry.address.clone());
    let full = object.clone();
    let outcome = entry.outcome.clone();
    let via_token = entry.via == "token";
    let label = text::audit_open(entry.seq);
    let own = StoredValue::new(entry);
    view! {
        <tr>
            <td class="cell-fit nowrap"><time title=at.full()>{at.full()}</time></td>
            <td class="cell-fit">{who}{via_token.then(|| view! { <Badge>{text::audit_token()}</Badge> })}</td>
            <th scope="row" class="cell-clip" title=full><span class="medium">{what}</span>" "<code class="subtle">{object}</code></th>
            <td class="cell-fit"><Badge tone=if done { Tone::Plain } else { Tone::Warn }>{outcome}</Badge></td>
            <td class="cell-fit wide-only subtle">{origin}</td>
            <td class="cell-fit"><IconButton icon=Icon::Right small=true label on_press=move |()| opened.set(Some(own.get_value()))/></td>
        </tr>
    }
    .into_any()
}
