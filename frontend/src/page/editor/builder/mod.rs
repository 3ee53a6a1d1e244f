//! SQL by form, for who does not write it: a table, its fields, filters, groups or windows, and where the rows go.
//!
//! Promises: the SQL is written by [`sql`] from a plain [`model::Query`] alone, and stands beside the form while it is
//! filled in; what somebody changes in it by hand is never overwritten by the form.

mod assign;
mod check;
mod conditions;
mod control;
mod fields;
mod form;
mod grouping;
mod model;
mod output;
mod sql;
mod sql_pane;
mod table_picker;
mod target;
#[cfg(test)]
mod tests;
mod value;
mod window;

use leptos::prelude::*;

use super::desk::Desk;
use crate::address::use_address;
use crate::i18n::builder as text;
use crate::i18n::words;
use crate::route::TeamRoute;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use check::gaps;
use conditions::ConditionLines;
use fields::Fields;
use form::{Form, Part};
use grouping::Grouping;
use model::{Query, Shape, Source};
use sql_pane::SqlPane;
use table_picker::{TablePicker, Use};
use target::TargetStep;

#[component]
pub(super) fn FormBuilder(
    desk: Desk,
    open: RwSignal<bool>,
    /// Takes SQL to the scratch.
    brought: RwSignal<Option<String>>,
) -> impl IntoView {
    let query = RwSignal::new(Query::default());
    let edited = RwSignal::new(None::<String>);
    let form = Form { team: desk.team, query, gaps: Memo::new(move |_| query.with(gaps)) };
    let shown = Memo::new(move |_| edited.get().unwrap_or_else(|| query.with(sql::sql)));
    let address = use_address();
    let own = desk.sql.text();
    let is_empty = Memo::new(move |_| own.with(|own| own.trim().is_empty()));
    let start_over = move |()| {
        query.set(Query::default());
        edited.set(None);
    };
    let insert = Callback::new(move |()| {
        let sql = shown.get_untracked();
        open.set(false);
        start_over(());
        if desk.id.is_none() || is_empty.get_untracked() {
            desk.bring(&sql);
            // The dialog gives the focus back where it came from first.
            request_animation_frame(move || desk.sql.focus());
        } else {
            brought.set(Some(sql));
            address.go(&TeamRoute::Editor(None).of(&desk.team.get_value()));
        }
    });
    let reason = Signal::derive(move || {
        if edited.with(Option::is_some) {
            return shown.with(|sql| sql.trim().is_empty()).then(|| text::nothing_yet().to_owned());
        }
        let first = form.gaps.with(|gaps| gaps.first().cloned())?;
        Some(query.with(|query| form::words(&first, query)))
    });
    let place = move || match (is_empty.get(), desk.id) {
        (true, _) => text::insert_here(),
        (false, None) => text::insert_behind(),
        (false, Some(_)) => text::insert_scratch(),
    };
    let foot = move || {
        view! {
            <span class="dialog-note">{place}</span>
            <Button kind=Kind::Quiet on_press=start_over>{text::start_over()}</Button>
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary reason on_press=insert>{text::insert()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title=text::title().to_owned() foot=foot class="dialog-builder">
            <div class="builder">
                <div class="builder-form" role="group" aria-label=text::form()><Steps form/></div>
                <SqlPane form sql=shown edited/>
            </div>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Steps(form: Form) -> impl IntoView {
    let query = form.query;
    let table = Memo::new(move |_| query.with(|query| query.source.as_ref().map(Source::full)));
    let choose = Callback::new(move |source: Source| query.update(|query| query.take(source)));
    let is_plain = Memo::new(move |_| query.with(|query| query.shape == Shape::Plain));
    let has_table = Memo::new(move |_| table.with(Option::is_some));
    view! {
        <Step number=1 title=text::step_table()>
            <TablePicker team=form.team purpose=Use::Read chosen=table on_choose=choose/>
        </Step>
        {move || if has_table.get() {
            view! {
                <Step number=2 title=text::step_fields()>
                    {move || if is_plain.get() {
                        view! {
                            <Fields form label=text::step_fields()/>
                            <p class="subtle">{text::order_note()}</p>
                        }.into_any()
                    } else {
                        view! { <p class="muted">{text::fields_grouped()}</p> }.into_any()
                    }}
                </Step>
                <Step number=3 title=text::step_filters()><ConditionLines form part=Part::Where/></Step>
                <Step number=4 title=text::step_grouping()><Grouping form/></Step>
                <Step number=5 title=text::step_target()><TargetStep form/></Step>
            }.into_any()
        } else {
            view! { <p class="subtle">{text::choose_table()}</p> }.into_any()
        }}
    }
    .into_any()
}

#[component]
fn Step(number: u8, title: &'static str, children: Children) -> impl IntoView {
    let heading = crate::ui::id::next("step");
    let labelled = heading.clone();
    view! {
        <section class="builder-step" aria-labelledby=labelled>
            <h3 id=heading><span class="builder-number" aria-hidden="true">{number}</span>{title}</h3>
            {children()}
        </section>
    }
    .into_any()
}
