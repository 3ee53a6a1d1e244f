//! The dialog that brings a function: a module with one of its functions chosen, or an SQL expression.

mod expression;
mod module;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::File;
use millrace_wire::user_function::{FunctionLanguage, ModuleContent, NewMacro, UserFunction};

use crate::address::use_address;
use crate::api::path::with_query;
use crate::api::{self, Failure};
use crate::i18n::{functions as text, words};
use crate::route::{FunctionTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::check_field::CheckField;
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::field::go_to_first_error;
use crate::ui::segmented::Segmented;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

pub(super) const BUILD_COMMAND: &str =
    "cargo build --release --target wasm32-wasip1 --manifest-path assets/udf-sample/Cargo.toml";
const TEMPLATE: &str = "(x DOUBLE, y DOUBLE)\nRETURNS DOUBLE\nRETURN SQRT(x * x + y * y)";

#[derive(Clone, PartialEq)]
pub(super) enum Bring {
    New,
    /// Of the function with this name, that was written so.
    Version {
        name: String,
        language: FunctionLanguage,
        definition: Option<String>,
        version: u32,
    },
}

/// What the person has put in so far. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) language: RwSignal<FunctionLanguage>,
    pub(super) name: RwSignal<String>,
    /// The person wrote the name, so that the module's does not take its place.
    pub(super) named: RwSignal<bool>,
    pub(super) remark: RwSignal<String>,
    pub(super) definition: RwSignal<String>,
    pub(super) file: RwSignal<Option<File>, LocalStorage>,
    pub(super) content: RwSignal<Option<ModuleContent>>,
    /// Which function of the module, by its entry.
    pub(super) entry: RwSignal<String>,
    pub(super) overwrite: RwSignal<bool>,
    pub(super) failure: RwSignal<Option<Failure>>,
    pub(super) tried: RwSignal<bool>,
}

impl Form {
    fn new() -> Form {
        Form {
            language: RwSignal::new(FunctionLanguage::Wasm),
            name: RwSignal::new(String::new()),
            named: RwSignal::new(false),
            remark: RwSignal::new(String::new()),
            definition: RwSignal::new(String::new()),
            file: RwSignal::new_local(None),
            content: RwSignal::new(None),
            entry: RwSignal::new(String::new()),
            overwrite: RwSignal::new(false),
            failure: RwSignal::new(None),
            tried: RwSignal::new(false),
        }
    }

    fn begin(&self, what: &Bring) {
        let (language, name, definition) = match what {
            Bring::New => (FunctionLanguage::Wasm, String::new(), TEMPLATE.to_owned()),
            Bring::Version { name, language, definition, .. } => {
                (*language, name.clone(), definition.clone().unwrap_or_else(|| TEMPLATE.to_owned()))
            }
        };
        self.language.set(language);
        self.named.set(!name.is_empty());
        self.name.set(name);
        self.remark.set(String::new());
        self.definition.set(definition);
        self.file.set(None);
        self.content.set(None);
        self.entry.set(String::new());
        self.overwrite.set(*what != Bring::New);
        self.failure.set(None);
        self.tried.set(false);
    }

    /// Of the server, or what is missing, once somebody tried.
    pub(super) fn error_at(self, field: &'static str) -> Option<String> {
        let told = self.failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field)));
        let missing = || match field {
            "module" => self.content.with(Option::is_none).then(|| text::no_module().to_owned()),
            "definition" => self
                .definition
                .with(|definition| definition.trim().is_empty())
                .then(|| text::definition_empty().to_owned()),
            "name" => self.name.with(|name| name.trim().is_empty()).then(|| text::name_help().to_owned()),
            _ => None,
        };
        told.or_else(|| self.tried.get().then(missing).flatten())
    }

    fn is_complete(self) -> bool {
        let fields = match self.language.get_untracked() {
            FunctionLanguage::Wasm => ["name", "module"],
            FunctionLanguage::Sql => ["name", "definition"],
        };
        untrack(|| fields.into_iter().all(|field| self.error_at(field).is_none()))
    }

    async fn send(self, path: String) -> Result<UserFunction, Failure> {
        let (name, remark) = (self.name.get_untracked().trim().to_owned(), self.remark.get_untracked());
        let overwrite = self.overwrite.get_untracked();
        match (self.language.get_untracked(), self.file.get_untracked()) {
            (FunctionLanguage::Wasm, Some(file)) => {
                let flag = if overwrite { "true" } else { "" };
                let entry = self.entry.get_untracked();
                let pairs = [("name", name.as_str()), ("entry", &entry), ("remark", &remark), ("overwrite", flag)];
                api::post_module(&with_query(&format!("{path}/modules"), &pairs), &file).await
            }
            _ => {
                let definition = self.definition.get_untracked();
                api::post(&path, &NewMacro { name, definition, remark, overwrite }).await
            }
        }
    }
}

#[component]
pub(super) fn BringDialog(open: RwSignal<bool>, team: String, #[prop(into)] what: Signal<Bring>) -> impl IntoView {
    let form = Form::new();
    let path = api::path::team(&team, "functions");
    let (address, toasts) = (use_address(), use_toasts());
    let busy = RwSignal::new(false);
    Effect::new(move |_| {
        if open.get() {
            form.begin(&what.get_untracked());
        }
    });
    let save_path = path.clone();
    let save = Callback::new(move |()| {
        form.failure.set(None);
        form.tried.set(true);
        if busy.get_untracked() {
            return;
        }
        if !form.is_complete() {
            go_to_first_error();
            return;
        }
        busy.set(true);
        let (path, team) = (save_path.clone(), team.clone());
        let before = match what.get_untracked() {
            Bring::New => None,
            Bring::Version { version, .. } => Some(version),
        };
        spawn_local(async move {
            let answer = form.send(path).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(function) => {
                    let number = function.versions.first().map_or(1, |version| version.number);
                    toasts.good(match before {
                        Some(before) if before == number => text::unchanged(&function.name, number),
                        _ if number > 1 => text::versioned(&function.name, number),
                        _ => text::made(&function.name),
                    });
                    let _ = open.try_set(false);
                    address.go(&TeamRoute::Function(function.id, FunctionTab::Test).of(&team));
                }
                Err(refusal) => {
                    let _ = form.failure.try_set(Some(refusal));
                    go_to_first_error();
                }
            }
        });
    });
    let title = Signal::derive(move || match what.get() {
        Bring::New => text::new().to_owned(),
        Bring::Version { name, .. } => text::new_version_title(name),
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>
                {move || if form.overwrite.get() { text::new_version() } else { words::create() }}
            </Button>
        }
    };
    view! {
        <Dialog open title foot=foot class="dialog-wide">
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); }>
                <Segmented
                    label=text::how()
                    options=vec![
                        (FunctionLanguage::Wasm, text::from_module().to_owned()),
                        (FunctionLanguage::Sql, text::from_sql().to_owned()),
                    ]
                    value=form.language
                    on_choose=move |language| form.language.set(language)
                />
                {
                    let path = path.clone();
                    move || match form.language.get() {
                        FunctionLanguage::Wasm => view! { <module::ModulePart form path=path.clone()/> }.into_any(),
                        FunctionLanguage::Sql => view! { <expression::ExpressionPart form path=path.clone()/> }.into_any(),
                    }
                }
                <Naming form what/>
                {move || other_failure(form).map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Naming(form: Form, what: Signal<Bring>) -> impl IntoView {
    let is_new = Memo::new(move |_| what.get() == Bring::New);
    // A name that is taken can be meant: the person is asked, never overruled.
    let taken = Memo::new(move |_| {
        form.failure.with(|failure| failure.as_ref().is_some_and(|failure| failure.code() == "name_taken"))
    });
    let offers = Memo::new(move |_| is_new.get() && (taken.get() || form.overwrite.get()));
    view! {
        {move || is_new.get().then(|| view! {
            <div class="form-pair" on:input=move |_| form.named.set(true)>
                <TextField label=text::name_field().to_owned() value=form.name code=true help=text::name_help().to_owned()
                    error=Signal::derive(move || form.error_at("name"))/>
                <TextField label=text::remark().to_owned() value=form.remark is_optional=true help=text::remark_help().to_owned()
                    error=Signal::derive(move || form.error_at("remark"))/>
            </div>
        })}
        {move || offers.get().then(|| view! {
            <CheckField label=text::overwrite(form.name.get()) value=form.overwrite help=text::overwrite_help()/>
        })}
        {move || (!is_new.get()).then(|| view! { <p class="subtle">{text::overwrite_help()}</p> })}
    }
    .into_any()
}

fn other_failure(form: Form) -> Option<Failure> {
    let fields = ["name", "remark", "module", "entry", "definition"];
    form.failure.get().filter(|failure| !failure.is_only_at(&fields))
}
