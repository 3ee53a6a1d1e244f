//! The editor of `frontend/js/editor.ts`, as Rust sees it.

use js_sys::{Object, Promise, Reflect};
use leptos::web_sys::HtmlElement;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    pub(super) type EditorModule;

    #[wasm_bindgen(method, catch)]
    pub(super) fn create(this: &EditorModule, parent: &HtmlElement, setup: &JsValue) -> Result<Editor, JsValue>;

    pub(super) type Editor;

    #[wasm_bindgen(method)]
    pub(super) fn doc(this: &Editor) -> String;
    #[wasm_bindgen(method, js_name = setDoc)]
    pub(super) fn set_doc(this: &Editor, doc: &str);
    #[wasm_bindgen(method, js_name = replaceDoc)]
    pub(super) fn replace_doc(this: &Editor, doc: &str);
    #[wasm_bindgen(method)]
    pub(super) fn insert(this: &Editor, text: &str);
    #[wasm_bindgen(method, js_name = setProblems)]
    pub(super) fn set_problems(this: &Editor, json: &str);
    #[wasm_bindgen(method, js_name = setStatements)]
    pub(super) fn set_statements(this: &Editor, json: &str);
    #[wasm_bindgen(method, js_name = setCatalog)]
    pub(super) fn set_catalog(this: &Editor, json: &str);
    #[wasm_bindgen(method)]
    pub(super) fn select(this: &Editor, from: u32, to: u32);
    #[wasm_bindgen(method)]
    pub(super) fn focus(this: &Editor);
    #[wasm_bindgen(method)]
    pub(super) fn destroy(this: &Editor);
}

/// Called by the editor; they live as long as it does.
pub(super) struct Hooks {
    pub(super) on_change: Closure<dyn FnMut(String)>,
    pub(super) on_caret: Closure<dyn FnMut(u32, u32)>,
    pub(super) on_run: Closure<dyn FnMut()>,
    pub(super) on_save: Closure<dyn FnMut()>,
    pub(super) on_format: Closure<dyn FnMut()>,
    pub(super) ask: Closure<dyn FnMut(String, u32) -> Promise>,
}

pub(super) struct Words<'a> {
    pub(super) doc: &'a str,
    pub(super) label: &'a str,
    pub(super) placeholder: &'a str,
    pub(super) replace: &'a str,
    pub(super) read_only: bool,
}

pub(super) fn setup(words: &Words<'_>, hooks: &Hooks) -> JsValue {
    let setup = Object::new();
    put(&setup, "doc", &words.doc.into());
    put(&setup, "label", &words.label.into());
    put(&setup, "placeholder", &words.placeholder.into());
    put(&setup, "readOnly", &words.read_only.into());
    let own = Object::new();
    put(&own, "replace", &words.replace.into());
    put(&setup, "words", &own);
    put(&setup, "onChange", hooks.on_change.as_ref());
    put(&setup, "onCaret", hooks.on_caret.as_ref());
    put(&setup, "onRun", hooks.on_run.as_ref());
    put(&setup, "onSave", hooks.on_save.as_ref());
    put(&setup, "onFormat", hooks.on_format.as_ref());
    put(&setup, "ask", hooks.ask.as_ref());
    setup.unchecked_into()
}

fn put(object: &Object, name: &str, value: &JsValue) {
    // Setting a property of a plain object cannot fail.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}
