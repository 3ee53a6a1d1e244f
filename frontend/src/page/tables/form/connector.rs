//! Steps one and two: what kind of stream it is, and where it lives.

use leptos::prelude::*;
use millrace_wire::connection::Connection;

use super::Step;
use super::draft::Form;
use crate::i18n::tables as text;
use crate::route::TeamRoute;
use crate::ui::badge::Badge;
use crate::ui::select_field::SelectField;

#[component]
pub(super) fn ConnectorStep() -> impl IntoView {
    let form = expect_context::<Form>();
    let connectors = form.catalog.with_value(|catalog| catalog.connectors.clone());
    // One tab stop for the group; arrow keys choose, as with any radio group.
    let names: Vec<String> = connectors.iter().map(|connector| connector.name.clone()).collect();
    let names = StoredValue::new(names);
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" | "ArrowDown" => 1,
            "ArrowLeft" | "ArrowUp" => names.with_value(Vec::len).saturating_sub(1),
            _ => return,
        };
        event.prevent_default();
        let next = names.with_value(|names| {
            let at = form.connector.with_untracked(|now| names.iter().position(|name| name == now)).unwrap_or(0);
            names.get((at + step) % names.len().max(1)).cloned()
        });
        if let Some(next) = next {
            form.choose_connector(&next);
            focus_choice(&next);
        }
    };
    view! {
        <Step number=1 title=text::step_connector() help=text::step_connector_help().to_owned()>
            <div class="connector-list" role="radiogroup" aria-label=text::step_connector() on:keydown=on_key>
                {connectors.into_iter().enumerate().map(|(index, connector)| {
                    let own = StoredValue::new(connector.name.clone());
                    let is_chosen = move || form.connector.with(|chosen| own.with_value(|own| own == chosen));
                    let reachable = move || is_chosen() || (index == 0 && form.connector.with(String::is_empty));
                    view! {
                        <button
                            type="button"
                            class="connector-choice"
                            role="radio"
                            id=format!("connector-{}", connector.name)
                            aria-checked=move || is_chosen().to_string()
                            tabindex=move || if reachable() { "0" } else { "-1" }
                            on:click=move |_| form.choose_connector(&own.get_value())
                        >
                            <span class="row">
                                <span class="medium">{connector.title}</span>
                                {connector.source.then(|| view! { <Badge>{text::source()}</Badge> })}
                                {connector.sink.then(|| view! { <Badge>{text::sink()}</Badge> })}
                            </span>
                            <span>{connector.summary}</span>
                        </button>
                    }
                }).collect_view()}
            </div>
            {move || form.error("connector").map(|error| view! { <span class="field-error">{error}</span> })}
        </Step>
    }
    .into_any()
}

fn focus_choice(name: &str) {
    use wasm_bindgen::JsCast;
    let found = document().get_element_by_id(&format!("connector-{name}"));
    if let Some(element) = found.and_then(|element| element.dyn_into::<leptos::web_sys::HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

#[component]
pub(super) fn ConnectionStep(connections: Vec<Connection>, team: String) -> impl IntoView {
    let form = expect_context::<Form>();
    let kinds = Memo::new(move |_| {
        let schema = form.schema();
        schema.map(|schema| schema.connection.into_iter().chain(schema.takes).collect::<Vec<_>>()).unwrap_or_default()
    });
    let is_needed = Memo::new(move |_| form.schema().is_some_and(|schema| schema.connection.is_some()));
    let make = TeamRoute::ConnectionNew.of(&team).href();
    let fitting = Memo::new(move |_| {
        let kinds = kinds.get();
        connections.iter().filter(|connection| kinds.contains(&connection.kind)).cloned().collect::<Vec<_>>()
    });
    // One connection only: nothing to choose.
    Effect::new(move |_| {
        let only = fitting.with(|all| match all.as_slice() {
            [only] => Some(only.id.to_string()),
            _ => None,
        });
        if let Some(only) = only.filter(|_| is_needed.get() && form.connection.with_untracked(String::is_empty)) {
            form.connection.set(only);
        }
    });
    let options = Signal::derive(move || {
        let none = if is_needed.get() { text::choose_connection() } else { text::without_connection() };
        let mut options = vec![(String::new(), none.to_owned())];
        options.extend(fitting.get().into_iter().map(|connection| {
            let name = if connection.demo {
                format!("{} ({})", connection.name, text::demo_broker())
            } else {
                connection.name
            };
            (connection.id.to_string(), name)
        }));
        options
    });
    view! {
        {move || (!kinds.with(Vec::is_empty)).then(|| {
            let make = make.clone();
            view! {
                <Step number=2 title=text::step_connection() help=text::step_connection_help().to_owned()>
                    {move || if fitting.with(Vec::is_empty) {
                        view! {
                            <p>{text::no_connection()}" "<a class="link" href=make.clone()>{text::make_connection()}</a>
                                {move || (!is_needed.get()).then(|| view! { " "<span class="muted">{text::without_connection_help()}</span> })}</p>
                        }
                        .into_any()
                    } else {
                        view! {
                            <div class="form-pair">
                                <SelectField label=text::connection().to_owned() value=form.connection options error=form.error_signal("connection")/>
                            </div>
                        }
                        .into_any()
                    }}
                </Step>
            }
        })}
    }
    .into_any()
}
