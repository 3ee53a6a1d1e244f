//! The chart of `frontend/js/chart.ts`, as Rust sees it.

use js_sys::{Object, Reflect};
use leptos::web_sys::HtmlElement;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    pub(super) type ChartModule;

    #[wasm_bindgen(method, catch)]
    pub(super) fn create(
        this: &ChartModule,
        parent: &HtmlElement,
        spec: &str,
        hooks: &JsValue,
    ) -> Result<Chart, JsValue>;

    pub(super) type Chart;

    #[wasm_bindgen(method, js_name = setData)]
    pub(super) fn set_data(this: &Chart, json: &str);
    #[wasm_bindgen(method)]
    pub(super) fn destroy(this: &Chart);
}

/// Called by the chart; they live as long as it does.
pub(super) struct Hooks {
    pub(super) on_cursor: Closure<dyn FnMut(i32)>,
    pub(super) on_range: Closure<dyn FnMut(f64, f64)>,
    pub(super) format: Closure<dyn FnMut(f64, String) -> String>,
}

impl Hooks {
    pub(super) fn object(&self) -> JsValue {
        let object = Object::new();
        let parts: [(&str, &JsValue); 3] = [
            ("onCursor", self.on_cursor.as_ref()),
            ("onRange", self.on_range.as_ref()),
            ("format", self.format.as_ref()),
        ];
        for (name, value) in parts {
            // Setting a property of a plain object cannot fail.
            let _ = Reflect::set(&object, &JsValue::from_str(name), value);
        }
        object.unchecked_into()
    }
}
