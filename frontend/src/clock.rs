//! The time now, ticking once a second for everything that shows an age, and the time zone of the browser.

use leptos::prelude::*;

use crate::format::date::Moment;

#[derive(Clone, Copy)]
pub struct Clock(RwSignal<i64>);

impl Clock {
    pub fn provide() -> Clock {
        let now = RwSignal::new(now());
        if let Ok(handle) = set_interval_with_handle(move || now.set(self::now()), std::time::Duration::from_secs(1)) {
            on_cleanup(move || handle.clear());
        }
        let clock = Clock(now);
        provide_context(clock);
        clock
    }

    /// Milliseconds since 1970; whoever reads it runs again each second.
    pub fn get(&self) -> i64 {
        self.0.get()
    }
}

pub fn use_clock() -> Clock {
    expect_context::<Clock>()
}

pub fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// An instant in the time zone of the browser.
pub fn local(ms: i64) -> Moment {
    Moment::of(ms.saturating_add(offset_ms(ms)))
}

/// What a date and time field of the browser means, in UTC.
pub fn from_local_field(text: &str) -> Option<i64> {
    let local = crate::format::date::parse_field(text)?;
    Some(local - offset_ms(local - offset_ms(local)))
}

fn offset_ms(ms: i64) -> i64 {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(ms as f64));
    let minutes = date.get_timezone_offset();
    if minutes.is_finite() { -(minutes as i64) * 60_000 } else { 0 }
}
