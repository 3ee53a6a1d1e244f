//! Decoded rows of the stream, newest first where the source allows.

use leptos::prelude::*;
use millrace_wire::table::Sample;

use crate::api;
use crate::i18n::tables as text;
use crate::load::load;
use crate::ui::button::{Button, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::widget::data_grid::few::few_rows;

const ROWS: &str = "50";

#[component]
pub(super) fn SamplePanel(path: String) -> impl IntoView {
    let path = api::path::with_query(&format!("{path}/sample"), &[("limit", ROWS)]);
    let sample = load(
        || (),
        move |()| {
            let path = path.clone();
            async move { api::get::<Sample>(&path).await }
        },
    );
    let note = Signal::derive(move || sample.with(|sample| sample.note.clone()).filter(|note| !note.is_empty()));
    view! {
        <Panel title=text::newest_rows().to_owned() note=note end=move || view! {
            <Button small=true kind=Kind::Quiet icon=Icon::Restart busy=sample.busy() on_press=move |()| sample.reload()>{text::sample_again()}</Button>
        }>
            {sample.show(Shape::Rows(8), |sample| (move || sample.with(|sample| {
                if sample.rows.is_empty() {
                    view! { <EmptyState title=text::sample_empty() body=text::sample_empty_body()/> }.into_any()
                } else {
                    few_rows(text::newest_rows(), Some(text::row()), &sample.columns, &sample.rows)
                }
            })).into_any())}
        </Panel>
    }
    .into_any()
}
