//! How the connection is made, without its secrets, and a test of it as it is stored.

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionTest};

use crate::api::{self, Failure};
use crate::i18n::connections as text;
use crate::page::connections::kind_words;
use crate::rights::{Right, refusal};
use crate::ui::age::Ago;
use crate::ui::button::Button;
use crate::ui::facts::{Fact, Facts};
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::widget::test_result::TestResult;

#[component]
pub(super) fn PropertiesTab(path: String, connection: Signal<Connection>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let result = RwSignal::new(None::<ConnectionTest>);
    let run = Callback::new(move |()| {
        busy.set(true);
        failure.set(None);
        let path = format!("{path}/test");
        leptos::task::spawn_local(async move {
            match api::post::<ConnectionTest>(&path, &serde_json::json!({})).await {
                Ok(test) => result.set(Some(test)),
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    });
    view! {
        <div class="settings">
            <Panel title=text::properties().to_owned() end=move || view! {
                <Button small=true icon=Icon::Test busy=busy reason=refusal(Right::Edit) on_press=run>{text::test()}</Button>
            }>
                {move || facts(connection.get())}
            </Panel>
            <div role="status">
                {move || result.get().map(|test| {
                    let words = if test.ok { text::test_passed() } else { text::test_failed() };
                    view! { <p class=if test.ok { "good" } else { "bad" }>{words}</p><TestResult test/> }
                })}
            </div>
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </div>
    }
    .into_any()
}

fn facts(connection: Connection) -> AnyView {
    let secrets = if connection.secrets_set.is_empty() {
        text::no_secret().to_owned()
    } else {
        connection.secrets_set.join(", ")
    };
    let is_cluster = connection.kind == millrace_wire::connection::ConnectionKind::Kafka;
    let delivery = if connection.demo { text::at_least_once() } else { text::exactly_once() };
    let at = connection.updated_at;
    let kind = kind_words(connection.kind);
    let options = connection.options;
    view! {
        <Facts from_start=true>
            <Fact name=text::kind()>{kind}</Fact>
            {options.into_iter().map(|(name, value)| view! { <Fact name=name><span class="code">{value}</span></Fact> }).collect_view()}
            <Fact name=text::secrets()><span class="code">{secrets}</span></Fact>
            {is_cluster.then(|| view! { <Fact name=text::delivery()>{delivery}</Fact> })}
            <Fact name=text::changed()><Ago at=at/></Fact>
        </Facts>
    }
    .into_any()
}
