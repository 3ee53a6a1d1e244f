//! A line that a link names, with those before and after it in its run.

use leptos::prelude::*;
use millrace_wire::log_search::LogContext;

use super::row::Row;
use crate::address::use_address;
use crate::api::{self, path};
use crate::format::percent;
use crate::i18n::logs as text;
use crate::load::load;
use crate::ui::button::{Button, IconButton};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;

const FIRST: u32 = 10;
const MOST: u32 = 320;

#[component]
pub(super) fn Around(team: StoredValue<String>, id: String) -> impl IntoView {
    let address = use_address();
    let around = RwSignal::new(FIRST);
    let base = team.with_value(|team| path::team(team, &format!("logs/lines/{}", percent::encode(&id))));
    let context = load(
        || (),
        move |()| {
            let count = around.get_untracked().to_string();
            let path = path::with_query(&base, &[("before", &count), ("after", &count)]);
            async move { api::get::<LogContext>(&path).await }
        },
    );
    let wider = move |()| {
        around.update(|around| *around = (*around * 2).min(MOST));
        context.reload();
    };
    let is_gone = move || context.failure().get().is_some_and(|failure| failure.status == 404);
    view! {
        <Panel title=text::context().to_owned() end=move || view! {
            {move || (around.get() < MOST).then(|| view! { <Button small=true on_press=wider>{text::wider()}</Button> })}
            <IconButton icon=Icon::Close small=true label=text::close_context() on_press=move |()| address.set_query("line", None)/>
        }>
            {move || if is_gone() {
                view! { <EmptyState title=text::line_gone()/> }.into_any()
            } else {
                context.show(Shape::Rows(8), move |found| (move || {
                    let LogContext { before, line, after } = found.get();
                    view! {
                        <div class="log log-hit" role="group" aria-label=text::context()>
                            {before.into_iter().map(|hit| view! { <Row team hit/> }).collect_view()}
                            <Row team hit=line is_wanted=true/>
                            {after.into_iter().map(|hit| view! { <Row team hit/> }).collect_view()}
                        </div>
                    }
                    .into_any()
                }).into_any())
            }}
        </Panel>
    }
    .into_any()
}
