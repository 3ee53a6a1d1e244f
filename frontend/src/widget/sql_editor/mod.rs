//! The SQL editor: text, caret, problems and completion around the lazily loaded CodeMirror.
//!
//! Promises: offsets on this side are UTF-8 bytes; until the script is there the text is shown read-only, and where
//! it cannot be loaded a plain text field takes its place, so that nobody is locked out of their SQL.

mod border;
mod offset;
mod shim;

use leptos::prelude::*;
use leptos::{html, task::spawn_local};
use millrace_wire::function::FunctionInfo;
use millrace_wire::page::Page;
use millrace_wire::sql::{Complete, CompletionItem, Diagnostic, Span, StatementInfo};
use millrace_wire::table::ResolvedColumn;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

use crate::api;
use crate::chunk;
use crate::i18n::editor as text;
pub use offset::to_utf16 as utf16_offset;
use offset::{to_utf8, to_utf16};
use shim::{Editor, EditorModule, Hooks, Words};

/// What a page holds of an editor: cheap to copy, safe to use before and after the editor is there.
#[derive(Clone, Copy)]
pub struct SqlHandle {
    text: RwSignal<String>,
    /// Start and end of the selection, in bytes.
    selection: RwSignal<(u32, u32)>,
    editor: StoredValue<Option<Mounted>, LocalStorage>,
    face: RwSignal<Face>,
    /// A selection asked for before the editor was there, in bytes.
    later: StoredValue<Option<(u32, u32)>>,
}

struct Mounted {
    editor: Editor,
    _hooks: Hooks,
}

#[derive(Clone, Copy, PartialEq)]
enum Face {
    Loading,
    Ready,
    /// The script did not load.
    Plain,
}

impl SqlHandle {
    pub fn new(text: String) -> SqlHandle {
        SqlHandle {
            text: RwSignal::new(text),
            selection: RwSignal::new((0, 0)),
            editor: StoredValue::new_local(None),
            face: RwSignal::new(Face::Loading),
            later: StoredValue::new(None),
        }
    }

    /// The text as it is, a moment after the last key.
    pub fn text(&self) -> Signal<String> {
        self.text.into()
    }

    /// The text at this instant, with what was typed a moment ago.
    pub fn current(&self) -> String {
        self.try_current().unwrap_or_default()
    }

    /// The same, and nothing once the page is gone.
    pub fn try_current(&self) -> Option<String> {
        self.with(Editor::doc).or_else(|| self.text.try_get_untracked())
    }

    pub fn selection(&self) -> Signal<(u32, u32)> {
        self.selection.into()
    }

    /// Another text, with an empty undo history.
    pub fn set(&self, text: &str) {
        self.with(|editor| editor.set_doc(text));
        self.text.set(text.to_owned());
    }

    /// Another form of the same text, as one undo step.
    pub fn replace(&self, text: &str) {
        self.with(|editor| editor.replace_doc(text));
        self.text.set(text.to_owned());
    }

    /// Puts text in place of the selection.
    pub fn insert(&self, text: &str) {
        if self.with(|editor| editor.insert(text)).is_none() {
            self.text.update(|current| current.push_str(text));
        }
    }

    /// Moves the caret there, selects, and shows the place.
    pub fn select(&self, span: &Span) {
        self.select_bytes(span.start, span.end);
    }

    /// Puts the caret at a byte of the text and shows the place, as soon as the editor is there.
    pub fn caret_to(&self, byte: u32) {
        self.select_bytes(byte, byte);
    }

    fn select_bytes(&self, from: u32, to: u32) {
        let text = self.current();
        let units = (to_utf16(&text, from), to_utf16(&text, to));
        if self.with(|editor| editor.select(units.0, units.1)).is_none() {
            let _ = self.later.try_set_value(Some((from, to)));
        }
    }

    pub fn focus(&self) {
        self.with(Editor::focus);
    }

    /// True once keys can go into it; tracked.
    pub fn is_ready(&self) -> bool {
        self.face.get() == Face::Ready
    }

    fn with<R>(&self, act: impl FnOnce(&Editor) -> R) -> Option<R> {
        self.editor.try_with_value(|mounted| mounted.as_ref().map(|mounted| act(&mounted.editor))).flatten()
    }
}

/// A table whose name completes at once; the server knows all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownTable {
    pub database: String,
    pub name: String,
    pub connector: String,
    /// Empty until somebody asked for them.
    pub columns: Vec<ResolvedColumn>,
}

/// What the server said about a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    pub diagnostics: Vec<Diagnostic>,
    pub statements: Vec<StatementInfo>,
}

#[component]
pub fn SqlEditor(
    handle: SqlHandle,
    team: String,
    /// Names the field to a screen reader.
    label: String,
    #[prop(optional)] read_only: bool,
    #[prop(into)] findings: Signal<Findings>,
    #[prop(into)] tables: Signal<Vec<KnownTable>>,
    #[prop(into)] functions: Signal<Vec<FunctionInfo>>,
    on_run: Callback<()>,
    on_save: Callback<()>,
    on_format: Callback<()>,
) -> impl IntoView {
    let place = NodeRef::<html::Div>::new();
    let own_label = label.clone();
    Effect::new(move |_| {
        let Some(place) = place.get() else { return };
        let hooks = hooks(handle, team.clone(), on_run, on_save, on_format);
        let label = own_label.clone();
        spawn_local(async move {
            let Some(module) = chunk::load("editor").await else {
                let _ = handle.face.try_set(Face::Plain);
                return;
            };
            // The page may have gone while the script came.
            let Some(doc) = handle.text.try_get_untracked() else { return };
            let words = Words {
                doc: &doc,
                label: &label,
                placeholder: text::placeholder(),
                replace: text::replace(),
                read_only,
            };
            let module: EditorModule = module.unchecked_into();
            match module.create(&place, &shim::setup(&words, &hooks)) {
                Ok(editor) => {
                    let _ = handle.editor.try_set_value(Some(Mounted { editor, _hooks: hooks }));
                    let _ = handle.face.try_set(Face::Ready);
                    if let Some((from, to)) = handle.later.try_update_value(Option::take).flatten() {
                        handle.select_bytes(from, to);
                    }
                }
                Err(reason) => {
                    leptos::logging::error!("the editor did not start: {reason:?}");
                    let _ = handle.face.try_set(Face::Plain);
                }
            }
        });
    });
    on_cleanup(move || {
        let mounted = handle.editor.try_update_value(Option::take).flatten();
        if let Some(mounted) = mounted {
            mounted.editor.destroy();
        }
    });

    Effect::new(move |_| {
        let catalog = border::catalog(&tables.read(), &functions.read());
        if handle.face.get() == Face::Ready {
            handle.with(|editor| editor.set_catalog(&catalog));
        }
    });
    Effect::new(move |_| {
        let findings = findings.read();
        if handle.face.get() == Face::Ready {
            let text = handle.current();
            handle.with(|editor| {
                editor.set_problems(&border::problems(&text, &findings.diagnostics));
                editor.set_statements(&border::statements(&text, &findings.statements));
            });
        }
    });

    view! {
        <div class="sql-editor">
            <div class="sql-editor-place" node_ref=place class:is-hidden=move || handle.face.get() == Face::Plain></div>
            {move || match handle.face.get() {
                Face::Ready => ().into_any(),
                Face::Loading => view! { <pre class="sql-editor-waiting" aria-hidden="true">{handle.text}</pre> }.into_any(),
                Face::Plain => view! {
                    <textarea class="textarea sql-editor-plain" aria-label=label.clone() readonly=read_only
                        spellcheck="false" prop:value=handle.text
                        on:input=move |event| handle.text.set(event_target_value(&event))></textarea>
                }.into_any(),
            }}
        </div>
    }
}

fn hooks(
    handle: SqlHandle,
    team: String,
    on_run: Callback<()>,
    on_save: Callback<()>,
    on_format: Callback<()>,
) -> Hooks {
    Hooks {
        on_change: Closure::new(move |doc: String| {
            if handle.text.try_with_untracked(|text| *text != doc) == Some(true) {
                let _ = handle.text.try_set(doc);
            }
        }),
        on_caret: Closure::new(move |from, to| {
            let text = handle.current();
            let _ = handle.selection.try_set((to_utf8(&text, from), to_utf8(&text, to)));
        }),
        on_run: Closure::new(move || on_run.run(())),
        on_save: Closure::new(move || on_save.run(())),
        on_format: Closure::new(move || on_format.run(())),
        ask: Closure::new(move |sql: String, caret: u32| {
            let path = api::path::team(&team, "sql/complete");
            wasm_bindgen_futures::future_to_promise(async move {
                let offset = to_utf8(&sql, caret);
                let request = Complete { sql, offset };
                let answer = api::post::<Page<CompletionItem>>(&path, &request).await;
                // Without an answer the names of the catalog still complete.
                Ok(answer.map_or(JsValue::NULL, |page| border::completions(&request.sql, offset, &page.items).into()))
            })
        }),
    }
}
