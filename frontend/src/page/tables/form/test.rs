//! Step seven: can the stream be reached as a job would reach it.

use leptos::prelude::*;
use millrace_wire::connection::ConnectionTest;

use super::Step;
use super::draft::Form;
use crate::api::{self, Failure};
use crate::i18n::tables as text;
use crate::ui::button::Button;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::widget::test_result::TestResult;

#[component]
pub(super) fn TestStep() -> impl IntoView {
    let form = expect_context::<Form>();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let result = RwSignal::new(None::<ConnectionTest>);
    // A result belongs to the draft it was taken of.
    let draft = Memo::new(move |_| form.draft());
    Effect::new(move |_| {
        draft.track();
        result.set(None);
    });
    let run = move |()| {
        busy.set(true);
        failure.set(None);
        let path = form.team.with_value(|team| api::path::team(team, "tables/test"));
        let draft = form.draft_now();
        leptos::task::spawn_local(async move {
            match api::post::<ConnectionTest>(&path, &draft).await {
                Ok(test) => result.set(Some(test)),
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    };
    view! {
        <Step number=7 title=text::step_test() help=text::step_test_help().to_owned()>
            <div class="row">
                <Button icon=Icon::Test busy=busy on_press=run>{text::run_test()}</Button>
                <span role="status" class=move || if result.with(|test| test.as_ref().is_some_and(|test| test.ok)) { "good" } else { "bad" }>
                    {move || result.with(|test| test.as_ref().map(|test| if test.ok { text::test_passed() } else { text::test_failed() }))}
                </span>
            </div>
            {move || result.get().map(|test| view! { <TestResult test/> })}
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </Step>
    }
    .into_any()
}
