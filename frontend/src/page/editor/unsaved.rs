//! Offers what was typed and not saved before the page went away.

use leptos::prelude::*;

use super::desk::Desk;
use crate::clock::use_clock;
use crate::format::age::{age, between};
use crate::i18n::editor as text;
use crate::ui::button::Button;
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::widget::sql_diff::SqlDiff;

#[component]
pub(super) fn UnsavedNote(desk: Desk) -> impl IntoView {
    let clock = use_clock();
    let compares = RwSignal::new(false);
    let is_there = Memo::new(move |_| desk.unsaved.with(Option::is_some));
    let typed = move || {
        let at = desk.unsaved.with(|unsaved| unsaved.as_ref().map(|unsaved| unsaved.at));
        text::unsaved_body(age(between(at.unwrap_or_default(), clock.get())))
    };
    let kept = Signal::derive(move || {
        desk.unsaved.with(|unsaved| unsaved.as_ref().map(|unsaved| unsaved.sql.clone())).unwrap_or_default()
    });
    view! {
        {move || is_there.get().then(|| view! {
            <div class="callout callout-warn ide-conflict" role="alert">
                {Icon::History.view()}
                <strong>{text::unsaved()}</strong>
                <p>{typed}</p>
                <div class="callout-actions">
                    <Button small=true on_press=move |()| desk.restore()>{text::unsaved_restore()}</Button>
                    <Button small=true on_press=move |()| compares.set(true)>{text::compare()}</Button>
                    <Button small=true on_press=move |()| desk.discard_unsaved()>{text::unsaved_discard()}</Button>
                </div>
            </div>
        })}
        <Dialog open=compares title=text::unsaved().to_owned() class="dialog-wide">
            <SqlDiff left_name=text::unsaved_saved().to_owned() left=desk.sql.text() right_name=text::unsaved_typed().to_owned() right=kept/>
        </Dialog>
    }
    .into_any()
}
