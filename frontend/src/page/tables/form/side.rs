//! Beside the form: the statement it makes, live, and what is still to be done.

use leptos::prelude::*;

use super::draft::Form;
use crate::i18n::tables as text;
use crate::ui::code_block::CodeBlock;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;

#[component]
pub(super) fn Side() -> impl IntoView {
    let form = expect_context::<Form>();
    let ddl =
        Memo::new(move |_| form.check.with(|check| check.as_ref().map(|check| check.ddl.clone()).unwrap_or_default()));
    let problems = Memo::new(move |_| form.check.with(|check| check.as_ref().map(|check| check.problems.clone())));
    view! {
        <aside class="form-side" aria-label=text::beside_form()>
            <Panel title=text::live_ddl().to_owned() note=text::live_ddl_note().to_owned()>
                {move || if ddl.with(String::is_empty) {
                    view! { <p class="muted rail-note">{text::ddl_waiting()}</p> }.into_any()
                } else {
                    view! { <div class="table-ddl"><CodeBlock label=text::statement() text=Signal::derive(move || ddl.get())/></div> }.into_any()
                }}
            </Panel>
            {move || problems.get().map(|problems| {
                let count = problems.len();
                view! {
                    <Panel title=text::problems().to_owned() count=count.to_string()>
                        {if problems.is_empty() {
                            view! { <p class="row rail-note good">{Icon::Check.view()}{text::no_problems()}</p> }.into_any()
                        } else {
                            view! {
                                <ul class="problems">
                                    {problems.into_iter().map(|problem| view! {
                                        <li><span class="code">{problem.field}</span><span>{problem.message}</span></li>
                                    }).collect_view()}
                                </ul>
                            }
                            .into_any()
                        }}
                    </Panel>
                }
            })}
            {move || form.check_failure.get().map(|failure| view! { <FailureNote failure/> })}
        </aside>
    }
    .into_any()
}
