//! Scripts that are loaded the first time something needs them; see `frontend/js/README.md`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = millrace, js_name = load, catch)]
    async fn load_module(name: &str) -> Result<JsValue, JsValue>;
}

/// The module of that name, or nothing where it cannot be fetched; the browser keeps it for the next time.
pub async fn load(name: &str) -> Option<JsValue> {
    match load_module(name).await {
        Ok(module) => Some(module),
        Err(reason) => {
            leptos::logging::error!("the script {name} did not load: {reason:?}");
            None
        }
    }
}
