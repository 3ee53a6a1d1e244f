//! Kind and lengths of the windows that rows are grouped in.

use leptos::prelude::*;

use super::check::Gap;
use super::control::{Choose, Line, Tick};
use super::form::Form;
use super::model::{Length, Unit, Window, WindowKind};
use crate::i18n::builder as text;

#[component]
pub(super) fn WindowFields(form: Form) -> impl IntoView {
    let query = form.query;
    let window = Memo::new(move |_| query.with(|query| query.window.clone()));
    let kind = Memo::new(move |_| window.with(|window| window.kind));
    let choose = Callback::new(move |word: String| {
        if let Some(kind) = WindowKind::parse(&word) {
            query.update(|query| query.window.kind = kind);
        }
    });
    let size_name =
        Signal::derive(move || if kind.get() == WindowKind::Session { text::gap() } else { text::size() }.to_owned());
    let step_name = Signal::derive(|| text::step().to_owned());
    let size_error = Signal::derive(move || form.lacks(&Gap::Size).then(|| text::gap_length().to_owned()));
    let step_error = Signal::derive(move || {
        let is_wrong = form.lacks(&Gap::Step).then(|| text::gap_length().to_owned());
        is_wrong.or_else(|| form.lacks(&Gap::Multiple).then(|| text::gap_multiple().to_owned()))
    });
    let show_start = Callback::new(move |on| query.update(|query| query.window.shows_start = on));
    let show_end = Callback::new(move |on| query.update(|query| query.window.shows_end = on));
    view! {
        <div class="builder-window">
            <Choose label=Signal::derive(|| text::window_kind().to_owned()) options=Signal::derive(kinds)
                value=Signal::derive(move || kind.get().word().to_owned()) on_choose=choose/>
            <LengthField form name=size_name error=size_error of=|window| &mut window.size/>
            {move || kind.get().has_step().then(|| view! {
                <LengthField form name=step_name error=step_error of=|window| &mut window.step/>
            })}
        </div>
        <Tick label=text::shows_start() checked=Signal::derive(move || window.with(|window| window.shows_start)) on_change=show_start/>
        <Tick label=text::shows_end() checked=Signal::derive(move || window.with(|window| window.shows_end)) on_change=show_end/>
    }
    .into_any()
}

#[component]
fn LengthField(
    form: Form,
    name: Signal<String>,
    error: Signal<Option<String>>,
    of: fn(&mut Window) -> &mut Length,
) -> impl IntoView {
    let query = form.query;
    let length = Memo::new(move |_| query.with(|query| of(&mut query.window.clone()).clone()));
    let set_count = Callback::new(move |count: String| query.update(|query| of(&mut query.window).count = count));
    let set_unit = Callback::new(move |word: String| {
        if let Some(unit) = Unit::parse(&word) {
            query.update(|query| of(&mut query.window).unit = unit);
        }
    });
    view! {
        <span class="builder-length">
            <span class="muted" aria-hidden="true">{move || name.get()}</span>
            <Line label=name value=Signal::derive(move || length.with(|length| length.count.clone())) on_input=set_count error/>
            <Choose label=Signal::derive(move || text::unit_of(name.get())) options=Signal::derive(units)
                value=Signal::derive(move || length.with(|length| length.unit.word().to_owned())) on_choose=set_unit/>
        </span>
    }
    .into_any()
}

fn kinds() -> Vec<(String, String)> {
    let words = |kind: &WindowKind| match kind {
        WindowKind::Tumble => text::tumble(),
        WindowKind::Hop => text::hop(),
        WindowKind::Cumulate => text::cumulate(),
        WindowKind::Session => text::session(),
    };
    WindowKind::ALL.iter().map(|kind| (kind.word().to_owned(), words(kind).to_owned())).collect()
}

fn units() -> Vec<(String, String)> {
    let words = |unit: &Unit| match unit {
        Unit::Second => text::second(),
        Unit::Minute => text::minute(),
        Unit::Hour => text::hour(),
        Unit::Day => text::day(),
    };
    Unit::ALL.iter().map(|unit| (unit.word().to_owned(), words(unit).to_owned())).collect()
}
