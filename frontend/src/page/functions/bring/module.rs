//! A module: chosen or dropped, looked into by the server, and one of its functions picked.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::{DragEvent, File, HtmlInputElement};
use millrace_wire::function::FunctionEntry;
use millrace_wire::user_function::ModuleContent;
use wasm_bindgen::JsCast;

use super::Form;
use crate::api;
use crate::format::bytes::bytes;
use crate::format::number::counted;
use crate::i18n::functions as text;
use crate::ui::icon::Icon;
use crate::ui::id;

/// As the server has it; what is larger is not even sent.
const LARGEST: f64 = 16.0 * 1024.0 * 1024.0;

#[component]
pub(super) fn ModulePart(form: Form, path: String) -> impl IntoView {
    let reading = RwSignal::new(false);
    // Said here, before anything is sent.
    let refused = RwSignal::new(None::<String>);
    let asked = StoredValue::new(0_u32);
    let path = StoredValue::new(path);
    let take = move |file: File| {
        asked.update_value(|asked| *asked += 1);
        let number = asked.get_value();
        form.failure.set(None);
        form.content.set(None);
        form.entry.set(String::new());
        let name = file.name();
        refused.set(if !name.to_lowercase().ends_with(".wasm") {
            Some(text::not_wasm().to_owned())
        } else if file.size() > LARGEST {
            Some(text::too_large().to_owned())
        } else {
            None
        });
        if refused.with_untracked(Option::is_some) {
            form.file.set(None);
            return;
        }
        form.file.set(Some(file.clone()));
        reading.set(true);
        let path = path.with_value(|path| format!("{path}/inspect"));
        spawn_local(async move {
            let answer = api::post_module::<ModuleContent>(&path, &file).await;
            if asked.try_get_value() != Some(number) {
                return;
            }
            reading.set(false);
            match answer {
                Ok(content) => {
                    if let Some(first) = content.functions.first() {
                        choose(form, first);
                    }
                    form.content.set(Some(content));
                }
                Err(failure) => {
                    form.file.set(None);
                    form.failure.set(Some(failure));
                }
            }
        });
    };
    let error = Signal::derive(move || refused.get().or_else(|| form.error_at("module")));
    view! {
        <FileField form reading error on_file=Callback::new(take)/>
        {move || form.content.get().map(|content| view! { <Entries form content/> })}
    }
    .into_any()
}

/// The name in SQL follows the module until somebody writes one.
fn choose(form: Form, entry: &FunctionEntry) {
    form.entry.set(entry.entry.clone());
    if !form.named.get_untracked() {
        form.name.set(entry.name.clone());
    }
}

/// A field that takes a file by click, by key or by drop.
#[component]
fn FileField(
    form: Form,
    reading: RwSignal<bool>,
    error: Signal<Option<String>>,
    on_file: Callback<File, ()>,
) -> impl IntoView {
    let note = id::next("note");
    let over = RwSignal::new(false);
    let input = NodeRef::<html::Input>::new();
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        if let Some(file) = event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0)) {
            on_file.run(file);
        }
    };
    let picked = move |event: leptos::ev::Event| {
        let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let Some(input) = input else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            on_file.run(file);
        }
        // The same file again, rebuilt, is a choice, too.
        input.set_value("");
    };
    let title = move || match form.file.with(|file| file.as_ref().map(File::name)) {
        None => text::choose_file().to_owned(),
        Some(name) => name,
    };
    let line = move || {
        if reading.get() {
            return text::reading().to_owned();
        }
        match form.content.with(|content| content.as_ref().map(|content| content.bytes)) {
            Some(size) => format!("{} · {}", bytes(size), text::replace_file()),
            None => text::drop_file().to_owned(),
        }
    };
    let described = note.clone();
    view! {
        <div class="field">
            <span class="field-label" aria-hidden="true">{text::file()}</span>
            <label
                class="file-drop"
                class:is-over=move || over.get()
                class:is-bad=move || error.get().is_some()
                on:dragover=move |event| { event.prevent_default(); over.set(true); }
                on:dragleave=move |_| over.set(false)
                on:drop=dropped
            >
                {Icon::Functions.view()}
                <span class="file-drop-title">{title}</span>
                <span class="file-drop-line">{line}</span>
                <input
                    node_ref=input
                    class="visually-hidden"
                    type="file"
                    accept=".wasm,application/wasm"
                    aria-label=text::file()
                    aria-describedby=described
                    aria-invalid=move || error.get().is_some().then_some("true")
                    on:change=picked
                />
            </label>
            <span id=note class=move || if error.get().is_some() { "field-error" } else { "field-help" } aria-live="polite">
                {move || error.get()}
            </span>
        </div>
    }
    .into_any()
}

#[component]
fn Entries(form: Form, content: ModuleContent) -> impl IntoView {
    let group = id::next("entry");
    let count = counted(content.functions.len() as u64, "function", "functions");
    view! {
        <fieldset class="field entry-list">
            <legend class="field-label">{text::entry()}</legend>
            <span class="field-help">{text::entry_help(count)}</span>
            <div class="entry-scroll">
            {content.functions.into_iter().map(|entry| {
                let (own, chosen) = (entry.entry.clone(), entry.clone());
                let signature = format!("{}({}) → {}", entry.name, entry.arguments.join(", "), entry.result);
                view! {
                    <label class="check">
                        <input type="radio" name=group.clone()
                            prop:checked=move || form.entry.with(|entry| *entry == own)
                            on:change=move |_| choose(form, &chosen)/>
                        <span class="code">{signature}</span>
                        <span class="subtle">{entry.kind.as_str()}</span>
                    </label>
                }
            }).collect_view()}
            </div>
        </fieldset>
    }
    .into_any()
}
