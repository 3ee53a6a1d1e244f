//! The function on sample values: rows of values, and what it makes of them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::function::FunctionKind;
use millrace_wire::user_function::{FunctionParameter, FunctionTest, TestFunction, UserFunction};

use super::newest;
use crate::api::{self, Failure};
use crate::format::number::counted;
use crate::i18n::functions as text;
use crate::rights::{Right, refusal};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::callout::{Callout, Notice};
use crate::ui::code_block::CodeBlock;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::widget::data_grid::few::few_rows;

/// As the server has it.
const MOST_ROWS: usize = 100;
const NULL: &str = "NULL";

/// One row of values as they are written, with a key that stays its own.
type Row = (u32, Vec<RwSignal<String>>);

#[component]
pub(super) fn TestPanel(path: String, function: Signal<UserFunction>) -> impl IntoView {
    let version = Memo::new(move |_| function.with(|function| newest(function).cloned()));
    let parameters = Memo::new(move |_| {
        version.with(|version| version.as_ref().map(|version| version.parameters.clone()).unwrap_or_default())
    });
    let rows = RwSignal::new(Vec::<Row>::new());
    let next = StoredValue::new(0_u32);
    let result = RwSignal::new(None::<Result<FunctionTest, Failure>>);
    let busy = RwSignal::new(false);
    let new_row = move |index: usize| -> Row {
        let key = next.get_value();
        next.set_value(key + 1);
        let cells = parameters.with_untracked(|parameters| {
            parameters.iter().map(|parameter| RwSignal::new(sample(&parameter.data_type, index))).collect()
        });
        (key, cells)
    };
    // Another version may take other values.
    Effect::new(move |_| {
        parameters.track();
        let first = version.with_untracked(|version| {
            let aggregates = version.as_ref().is_some_and(|version| version.kind == FunctionKind::Aggregate);
            if aggregates { 3 } else { 1 }
        });
        rows.set((0..first).map(new_row).collect());
        result.set(None);
    });
    let run_path = format!("{path}/test");
    let run = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let values = rows.with_untracked(|rows| {
            let value = |cell: &RwSignal<String>| Some(cell.get_untracked()).filter(|text| text.trim() != NULL);
            rows.iter().map(|(_, cells)| cells.iter().map(value).collect()).collect()
        });
        let (path, request) = (run_path.clone(), TestFunction { version: None, rows: values });
        spawn_local(async move {
            let answer = api::post::<FunctionTest>(&path, &request).await;
            let _ = result.try_set(Some(answer));
            let _ = busy.try_set(false);
        });
    });
    let add = move |()| rows.update(|rows| rows.push(new_row(rows.len())));
    let no_more =
        Signal::derive(move || rows.with(|rows| (rows.len() >= MOST_ROWS).then(|| text::most_rows(MOST_ROWS))));
    let takes_values = move || parameters.with(|parameters| !parameters.is_empty());
    view! {
        <form on:submit=move |event| { event.prevent_default(); run.run(()); }>
            <Panel title=text::values().to_owned() note=text::values_note().to_owned() end=move || view! {
                {move || takes_values().then(|| view! {
                    <Button small=true kind=Kind::Quiet icon=Icon::Plus reason=no_more on_press=add>{text::add_row()}</Button>
                })}
                <Button small=true kind=Kind::Primary icon=Icon::Play busy=busy reason=refusal(Right::Edit) submits=true>{text::run()}</Button>
            }>
                {move || if takes_values() {
                    values(parameters.get(), rows)
                } else {
                    view! { <p class="subtle rail-note">{text::no_parameters()}</p> }.into_any()
                }}
            </Panel>
        </form>
        <div aria-live="polite">{move || outcome(result)}</div>
    }
    .into_any()
}

fn values(parameters: Vec<FunctionParameter>, rows: RwSignal<Vec<Row>>) -> AnyView {
    let names: Vec<String> = parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let names = StoredValue::new(names);
    let row = move |(key, cells): Row| {
        let number =
            Signal::derive(move || rows.with(|rows| rows.iter().position(|(known, _)| *known == key)).unwrap_or(0) + 1);
        let inputs = names.with_value(|names| {
            names.iter().cloned().zip(cells).map(|(name, cell)| view! {
                <td>
                    <input class="input input-small input-code" type="text" spellcheck="false" autocomplete="off"
                        aria-label=move || text::value_of(&name, number.get())
                        prop:value=move || cell.get()
                        on:input=move |event| cell.set(event_target_value(&event))/>
                </td>
            }).collect_view()
        });
        view! {
            <tr>
                <td class="num cell-fit subtle">{number}</td>
                {inputs}
                <td class="cell-fit">
                    {move || (rows.with(Vec::len) > 1).then(|| view! {
                        <IconButton icon=Icon::Close small=true label=Signal::derive(move || text::remove_row(number.get()))
                            on_press=move |()| rows.update(|rows| rows.retain(|(known, _)| *known != key))/>
                    })}
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <div class="pane test-values" >
            <table class="table columns-edit" aria-label=text::values()>
                <thead>
                    <tr>
                        <th scope="col" class="num cell-fit"><span class="visually-hidden">{text::row()}</span></th>
                        {parameters.into_iter().map(|parameter| view! {
                            <th scope="col">{parameter.name}" "<small class="subtle code">{parameter.data_type}</small></th>
                        }).collect_view()}
                        <td class="cell-fit"></td>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || rows.get() key=|(key, _)| *key let(entry)>{row(entry)}</For>
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

fn outcome(result: RwSignal<Option<Result<FunctionTest, Failure>>>) -> AnyView {
    match result.get() {
        None => view! { <EmptyState icon=Icon::Functions title=text::not_run() body=text::not_run_body()/> }.into_any(),
        Some(Err(failure)) => view! { <FailureNote failure/> }.into_any(),
        Some(Ok(test)) => {
            let note = text::result_of(counted(test.rows.len() as u64, "row", "rows"), test.ms);
            let failure = test.failure.clone().map(|failure| {
                view! {
                    <Callout notice=Notice::Bad title=text::failed()>{failure}</Callout>
                }
            });
            let content = match (test.rows.is_empty(), test.failure.is_some()) {
                (true, true) => ().into_any(),
                (true, false) => view! { <EmptyState title=text::no_rows()/> }.into_any(),
                (false, _) => few_rows(text::result(), None, &test.columns, &test.rows),
            };
            view! {
                <Panel title=text::result().to_owned() note=note>
                    {failure}
                    {content}
                    <details class="form-more test-script">
                        <summary>{text::script()}</summary>
                        <CodeBlock label=text::script() text=Signal::stored(test.sql)/>
                    </details>
                </Panel>
            }
            .into_any()
        }
    }
}

/// Something of that type to begin with, another one in each row.
fn sample(data_type: &str, row: usize) -> String {
    let upper = data_type.to_uppercase();
    let word = upper.split(['(', '<', ' ']).next().unwrap_or_default();
    match word {
        "TINYINT" | "SMALLINT" | "INT" | "INTEGER" | "BIGINT" => format!("{}", 12 * (row + 1)),
        "FLOAT" | "DOUBLE" | "REAL" | "DECIMAL" | "NUMERIC" | "DEC" => format!("{}.5", row + 1),
        "BOOLEAN" => if row.is_multiple_of(2) { "TRUE" } else { "FALSE" }.to_owned(),
        "DATE" => "2026-01-31".to_owned(),
        "TIME" => "12:00:00".to_owned(),
        "TIMESTAMP" | "TIMESTAMP_LTZ" => "2026-01-31 12:00:00".to_owned(),
        "BYTES" | "BINARY" | "VARBINARY" => "x'c0ffee'".to_owned(),
        "STRING" | "CHAR" | "VARCHAR" => "hello".to_owned(),
        "ARRAY" if upper.starts_with("ARRAY<STRING") => "ARRAY['a', 'b']".to_owned(),
        "ARRAY" => "ARRAY[1, 2, 3]".to_owned(),
        _ => NULL.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_something_to_begin_with() {
        assert_eq!(sample("INT NOT NULL", 1), "24");
        assert_eq!(sample("DECIMAL(10, 2)", 0), "1.5");
        assert_eq!(sample("ARRAY<STRING>", 0), "ARRAY['a', 'b']");
        assert_eq!(sample("ROW<a INT>", 0), "NULL");
    }
}
