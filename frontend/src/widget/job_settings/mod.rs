//! How a job is run: the form beside the SQL, and the same values as text.

mod words;

use leptos::prelude::*;
use millrace_wire::job::JobSettings;

use crate::i18n::{job as text, job_settings as notes};
pub use words::{changed, changed_words, rows};
use words::{parse_memory_mb, parse_span, parse_ttl, span, ttl};

#[component]
pub fn SettingsForm(
    settings: RwSignal<JobSettings>,
    /// Called when a value was changed to one that can be used.
    #[prop(into)]
    on_change: Callback<()>,
    /// Why nothing can be changed.
    #[prop(into)]
    locked: Signal<bool>,
) -> impl IntoView {
    let count = |text: &str, least: u32, most: u32| {
        text.trim().parse::<u32>().ok().filter(|number| (least..=most).contains(number))
    };
    let field = move |label: &'static str, help: &'static str, show: fn(&JobSettings) -> String, take: Take| {
        view! { <Field label help settings on_change locked show take/> }.into_any()
    };
    view! {
        {field(text::parallelism(), notes::parallelism(), |s| s.parallelism.to_string(), Take(Box::new(move |s, t| {
            count(t, 1, 64).map(|number| s.parallelism = number).is_some()
        })))}
        {field(text::memory_limit(), notes::memory(), |s| format!("{} MB", s.memory_limit_mb), Take(Box::new(|s, t| {
            parse_memory_mb(t).map(|mb| s.memory_limit_mb = mb).is_some()
        })))}
        {field(text::checkpoint_interval(), notes::checkpoint(), |s| span(s.checkpoint_interval_ms), Take(Box::new(|s, t| {
            parse_span(t).filter(|ms| *ms >= 100).map(|ms| s.checkpoint_interval_ms = ms).is_some()
        })))}
        {field(text::checkpoints_kept(), notes::kept(), |s| s.checkpoints_kept.to_string(), Take(Box::new(move |s, t| {
            count(t, 1, 100).map(|number| s.checkpoints_kept = number).is_some()
        })))}
        {field(text::state_ttl(), notes::ttl(), |s| ttl(s.state_ttl_ms), Take(Box::new(|s, t| {
            parse_ttl(t).map(|ms| s.state_ttl_ms = ms).is_some()
        })))}
        {field(text::restart_attempts(), notes::restarts(), |s| s.restart_attempts.to_string(), Take(Box::new(move |s, t| {
            count(t, 0, 1_000).map(|number| s.restart_attempts = number).is_some()
        })))}
        {field(text::restart_window(), notes::window(), |s| span(s.restart_window_ms), Take(Box::new(|s, t| {
            parse_span(t).filter(|ms| *ms >= 1_000).map(|ms| s.restart_window_ms = ms).is_some()
        })))}
    }
    .into_any()
}

/// Puts what was typed into the settings; false where it is no value for them.
struct Take(Box<TakeFn>);

type TakeFn = dyn Fn(&mut JobSettings, &str) -> bool + Send + Sync;

#[component]
fn Field(
    label: &'static str,
    help: &'static str,
    settings: RwSignal<JobSettings>,
    on_change: Callback<()>,
    locked: Signal<bool>,
    show: fn(&JobSettings) -> String,
    take: Take,
) -> impl IntoView {
    let id = crate::ui::id::next("setting");
    let note = format!("{id}-note");
    let wrong = RwSignal::new(false);
    let shown = Memo::new(move |_| settings.with(show));
    let control = id.clone();
    let described = note.clone();
    let change = move |event: leptos::ev::Event| {
        let typed = event_target_value(&event);
        let taken = settings.try_update(|settings| take.0(settings, &typed)).unwrap_or(false);
        wrong.set(!taken);
        if taken {
            on_change.run(());
        }
    };
    view! {
        <label for=id title=help>{label}</label>
        <input class="input input-small num" id=control aria-describedby=described title=help
            aria-invalid=move || wrong.get().then_some("true") readonly=locked
            prop:value=shown on:change=change/>
        <span class="setting-note" class:field-error=wrong class:visually-hidden=move || !wrong.get() id=note>{help}</span>
    }
    .into_any()
}
