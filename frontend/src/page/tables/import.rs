//! Tables from a script: checked first, then taken over as a whole.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::HtmlInputElement;
use millrace_wire::connection::Connection;
use millrace_wire::table_script::{ImportLine, ImportReport, ImportTables, ImportVerdict, ImportedTable};
use wasm_bindgen::JsCast;

use crate::address::use_address;
use crate::api::{self, Failure};
use crate::format::number::counted;
use crate::i18n::{table_script as text, tables as tables_text, words};
use crate::load::load_all;
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::ui::badge::{Badge, Tone};
use crate::ui::button::{Button, Kind};
use crate::ui::check_field::CheckField;
use crate::ui::failure::FailureNote;
use crate::ui::link_button::LinkButton;
use crate::ui::page_head::PageHead;
use crate::ui::panel::Panel;
use crate::ui::select_field::SelectField;
use crate::ui::table::{Head, Table};
use crate::ui::text_area::TextArea;
use crate::ui::toast::use_toasts;
use crate::widget::schema_change::ChangeTable;

/// The script and what was chosen for it.
#[derive(Clone, Copy)]
struct Script {
    sql: RwSignal<String>,
    chosen: RwSignal<BTreeMap<String, String>>,
    accept_breaking: RwSignal<bool>,
    report: RwSignal<Option<ImportReport>>,
    failure: RwSignal<Option<Failure>>,
    busy: RwSignal<bool>,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Check,
    Apply,
}

impl Script {
    fn request(&self, step: Step) -> ImportTables {
        let chosen = self.chosen.get_untracked();
        ImportTables {
            sql: self.sql.get_untracked(),
            database: String::new(),
            connections: chosen.into_iter().filter_map(|(name, id)| Some((name, id.parse().ok()?))).collect(),
            accept_breaking: self.accept_breaking.get_untracked(),
            apply: step == Step::Apply,
        }
    }
}

#[component]
pub fn TableImportPage(team: String) -> impl IntoView {
    let script = Script {
        sql: RwSignal::new(String::new()),
        chosen: RwSignal::new(BTreeMap::new()),
        accept_breaking: RwSignal::new(false),
        report: RwSignal::new(None),
        failure: RwSignal::new(None),
        busy: RwSignal::new(false),
    };
    let address = use_address();
    let toasts = use_toasts();
    let connections = load_all::<Connection>(api::path::team(&team, "connections"));
    let tables = TeamRoute::Tables.of(&team).href();
    let (back, done) = (tables.clone(), tables.clone());
    let path = api::path::team(&team, "tables/import");
    // What was checked is what is taken over: another text is checked again.
    Effect::new(move |_| {
        script.sql.track();
        script.report.set(None);
    });
    let send = Callback::new(move |step: Step| {
        script.busy.set(true);
        script.failure.set(None);
        let (path, done, request) = (path.clone(), done.clone(), script.request(step));
        let sent = request.sql.clone();
        spawn_local(async move {
            let answer = api::post::<ImportReport>(&path, &request).await;
            if script.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(report) if report.applied => {
                    toasts.good(text::applied(counted(report.tables.len() as u64, "table", "tables")));
                    address.go_to(&done);
                }
                // Of a text that was changed meanwhile nothing is known.
                Ok(report) if script.sql.with_untracked(|sql| *sql == sent) => script.report.set(Some(report)),
                Ok(_) => {}
                Err(refusal) => script.failure.set(Some(refusal)),
            }
        });
    });
    let no_edit = refusal(Right::Edit);
    let no_check = Signal::derive(move || {
        no_edit.get().or_else(|| script.sql.with(|sql| sql.trim().is_empty()).then(|| text::no_script().to_owned()))
    });
    let no_apply = Signal::derive(move || {
        no_edit.get().or_else(|| match script.report.with(|report| report.as_ref().map(is_whole)) {
            None => Some(text::check_first().to_owned()),
            Some(false) => Some(text::not_whole().to_owned()),
            Some(true) => None,
        })
    });
    let steps = vec![(tables_text::title().to_owned(), tables)];
    view! {
        <PageHead title=text::title().to_owned() steps=steps/>
        <div class="page">
            <form class="form" on:submit=|event| event.prevent_default() novalidate>
                <TextArea label=text::script().to_owned() value=script.sql code=true rows=14 help=text::script_help().to_owned()/>
                <FileInput sql=script.sql/>
                <CheckField label=text::accept_breaking().to_owned() value=script.accept_breaking/>
                <div class="form-foot">
                    <Button busy=script.busy reason=no_check on_press=move |()| send.run(Step::Check)>{text::check()}</Button>
                    <Button kind=Kind::Primary busy=script.busy reason=no_apply on_press=move |()| send.run(Step::Apply)>{text::apply()}</Button>
                    <LinkButton href=back>{words::cancel()}</LinkButton>
                </div>
            </form>
            {move || script.failure.get().map(|failure| view! { <FailureNote failure/> })}
            <div role="status">
                {move || script.report.get().map(|report| {
                    let known = connections.with(Clone::clone).unwrap_or_default();
                    view! { <Report script report connections=known/> }
                })}
            </div>
        </div>
    }
    .into_any()
}

fn is_whole(report: &ImportReport) -> bool {
    report.problems.is_empty()
        && !report.tables.is_empty()
        && report.tables.iter().all(|table| table.verdict != ImportVerdict::Refused)
}

#[component]
fn FileInput(sql: RwSignal<String>) -> impl IntoView {
    let read = move |event: leptos::ev::Event| {
        let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let Some(file) = input.and_then(|input| input.files()).and_then(|files| files.get(0)) else { return };
        spawn_local(async move {
            let content = wasm_bindgen_futures::JsFuture::from(file.text()).await;
            if let Some(content) = content.ok().and_then(|content| content.as_string()) {
                let _ = sql.try_set(content);
            }
        });
    };
    view! {
        <label class="field">
            <span>{text::file()}</span>
            <input type="file" accept=".sql,.ddl,.txt" on:change=read/>
        </label>
    }
    .into_any()
}

#[component]
fn Report(script: Script, report: ImportReport, connections: Vec<Connection>) -> impl IntoView {
    let ImportReport { databases, tables, problems, left_out, .. } = report;
    let heads = vec![
        Head::number(text::line()),
        Head::text(tables_text::name()).fit(),
        Head::text(text::verdict()).fit(),
        Head::text(tables_text::connection()).fit(),
        Head::text(text::what()),
    ];
    let count = tables.len().to_string();
    let rows = tables.into_iter().map(|table| row(script, table, &connections)).collect_view();
    view! {
        {(!databases.is_empty()).then(|| view! { <p>{text::databases(databases.join(", "))}</p> })}
        {lines(text::problems(), problems)}
        <Panel title=tables_text::title().to_owned() count=count>
            <Table label=text::result() heads>{rows}</Table>
        </Panel>
        {lines(text::left_out(), left_out)}
    }
    .into_any()
}

fn lines(title: &'static str, lines: Vec<ImportLine>) -> Option<AnyView> {
    (!lines.is_empty()).then(|| {
        let each = lines.into_iter().map(|line| view! { <li>{text::line_of(line.line, line.message)}</li> });
        view! { <Panel title=title.to_owned()><ul class="problems">{each.collect_view()}</ul></Panel> }.into_any()
    })
}

fn row(script: Script, table: ImportedTable, connections: &[Connection]) -> AnyView {
    let (tone, verdict) = match table.verdict {
        ImportVerdict::New => (Tone::Good, text::new()),
        ImportVerdict::Changed => (Tone::Warn, text::changed()),
        ImportVerdict::Same => (Tone::Plain, text::same()),
        ImportVerdict::Refused => (Tone::Bad, text::refused()),
    };
    let fitting: Vec<(String, String)> = connections
        .iter()
        .filter(|known| table.connection_kinds.contains(&known.kind))
        .map(|known| (known.id.to_string(), known.name.clone()))
        .collect();
    let connection = if fitting.is_empty() {
        view! { <span class="muted">{table.connection_name.clone()}</span> }.into_any()
    } else {
        let mut options = vec![(String::new(), text::no_connection().to_owned())];
        options.extend(fitting);
        let value = RwSignal::new(table.connection.map(|id| id.to_string()).unwrap_or_default());
        let name = table.name.clone();
        Effect::new(move |before: Option<()>| {
            let id = value.get();
            if before.is_some() {
                script.chosen.update(|chosen| {
                    chosen.insert(name.clone(), id);
                });
            }
        });
        view! { <SelectField label=text::connection_of(&table.name) value options/> }.into_any()
    };
    view! {
        <tr>
            <td class="num cell-fit subtle">{table.line}</td>
            <th scope="row" class="cell-fit code">{table.name}</th>
            <td class="cell-fit"><Badge tone>{verdict}</Badge></td>
            <td class="cell-fit">{connection}</td>
            <td>
                {table.reasons.into_iter().map(|reason| view! { <p class="bad">{reason}</p> }).collect_view()}
                {table.notes.into_iter().map(|note| view! { <p class="muted">{note}</p> }).collect_view()}
                {(!table.changes.is_empty()).then(|| view! { <ChangeTable changes=table.changes/> })}
            </td>
        </tr>
    }
    .into_any()
}
