//! Functions that a team brings: uploaded modules and SQL macros. A version never changes once it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use millrace_wire::error::{ErrorDomain, FieldError, Retry};
use millrace_wire::function::{FunctionBody, FunctionEntry, FunctionKind, FunctionSource};
use millrace_wire::ids::{FunctionId, TeamId};
use millrace_wire::live::LiveEvent;
use millrace_wire::sql::Diagnostic;
use millrace_wire::user_function::{
    FunctionChange, FunctionLanguage, FunctionParameter, MacroCheck, ModuleContent, NewMacro, PinnedFunction,
    UserFunction, UserFunctionSummary, UserFunctionVersion,
};

use super::permission::VisibleJobs;
use super::{check, macro_text, sql};
use crate::access::identity::TeamCaller;
use crate::access::sight::Sight;
use crate::clock::{new_id, now_ms};
use crate::engine::CatalogText;
use crate::error::{Code, Error, Result};
use crate::module;
use crate::state::App;
use crate::store::function::FunctionRow;
use crate::store::{self, is_unique_violation};
use crate::transact;

const MOST_FUNCTIONS: u64 = 1_000;
const LONGEST_DEFINITION: usize = 16 * 1024;

/// Who uploads a module, and as what.
#[derive(Clone, Debug)]
pub struct NewModule {
    pub name: String,
    /// One of [`inspect`].
    pub entry: String,
    pub remark: String,
    pub overwrite: bool,
}

/// By name.
pub async fn list(app: &App, sight: &Sight) -> Result<Vec<UserFunctionSummary>> {
    let uses = store::function::uses(&app.store, sight).await?;
    let functions = store::function::list(&app.store, sight.team).await?;
    let summary = |(row, newest): (FunctionRow, UserFunctionVersion)| UserFunctionSummary {
        jobs: uses.iter().filter(|(id, _)| *id == row.id).count() as u64,
        id: row.id,
        name: row.name,
        kind: newest.kind,
        language: newest.language,
        signature: newest.signature,
        remark: row.remark,
        version: newest.number,
        updated_by: row.updated_by,
        updated_at: row.updated_at,
    };
    Ok(functions.into_iter().map(summary).collect())
}

pub async fn get(app: &App, sight: &Sight, id: FunctionId) -> Result<UserFunction> {
    let row = row(app, sight.team, id).await?;
    let uses = store::function::uses(&app.store, sight).await?;
    Ok(UserFunction {
        id,
        name: row.name,
        remark: row.remark,
        versions: store::function::versions(&app.store, id).await?,
        used_by: uses.into_iter().filter(|(used, _)| *used == id).map(|(_, used)| used).collect(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
    })
}

async fn row(app: &App, team: TeamId, id: FunctionId) -> Result<FunctionRow> {
    store::function::get(&app.store, team, id).await?.ok_or_else(|| Error::not_found("function"))
}

/// All functions of a team at their newest versions, by name.
pub(super) async fn for_scripts(app: &App, team: TeamId) -> Result<BTreeMap<String, FunctionSource>> {
    let functions = store::function::list(&app.store, team).await?;
    Ok(functions.into_iter().filter_map(|(row, newest)| Some((row.name, source(app, &newest)?))).collect())
}

/// What a macro of this name may call: all but itself.
async fn others(app: &App, team: TeamId, name: &str) -> Result<CatalogText> {
    let mut functions = for_scripts(app, team).await?;
    functions.retain(|known, _| store::function::key(known) != store::function::key(name));
    Ok(CatalogText { functions, ..CatalogText::default() })
}

pub(super) fn source(app: &App, version: &UserFunctionVersion) -> Option<FunctionSource> {
    let module = version.module_hash.as_deref().zip(version.entry.as_deref());
    module::source(version.kind, version.definition.clone(), module, &module::folder(&app.config.shared_dir))
}

/// The functions of these names at their newest versions, for a job's version to keep. One that is gone is left out:
/// planning has told it before.
pub(super) async fn pinned_now(
    app: &App,
    team: TeamId,
    names: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, PinnedFunction>> {
    let wanted: Vec<String> = names.map(|name| store::function::key(name)).collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let functions = store::function::list(&app.store, team).await?;
    let named = functions.into_iter().filter(|(row, _)| wanted.contains(&store::function::key(&row.name)));
    Ok(named.map(|(row, newest)| (row.name, pinned(row.id, newest))).collect())
}

fn pinned(function: FunctionId, version: UserFunctionVersion) -> PinnedFunction {
    PinnedFunction {
        function,
        version: version.number,
        kind: version.kind,
        signature: version.signature,
        definition: version.definition,
        entry: version.entry,
        module_hash: version.module_hash,
        newer: None,
    }
}

pub(super) async fn say_what_is_newer(
    app: &App,
    team: TeamId,
    functions: &mut BTreeMap<String, PinnedFunction>,
) -> Result<()> {
    if functions.is_empty() {
        return Ok(());
    }
    let known = store::function::list(&app.store, team).await?;
    for pinned in functions.values_mut() {
        let newest = known.iter().find(|(row, _)| row.id == pinned.function).map(|(_, newest)| newest.number);
        pinned.newer = newest.filter(|newest| *newest > pinned.version);
    }
    Ok(())
}

/// What a module holds. Keeps nothing.
pub async fn inspect(app: &App, module: Bytes) -> Result<ModuleContent> {
    let (hash, bytes, functions) = read(app, &module).await?;
    Ok(ModuleContent { hash, bytes, functions })
}

async fn read(app: &App, module: &Bytes) -> Result<(String, u64, Vec<FunctionEntry>)> {
    module::check(module)?;
    let shared = module.clone();
    let read = sql::plan(app, move |engine| (module::hash_of(&shared), engine.inspect_module(&shared)));
    let (hash, functions) = read.await?;
    let functions = functions.map_err(|why| Error::field("module", why))?;
    if functions.is_empty() {
        return Err(Error::field("module", "The module has no functions that SQL could call.")
            .hint("Export them by the arrow-udf interface: in Rust with the attribute #[function]."));
    }
    Ok((hash, module.len() as u64, functions))
}

pub async fn create_from_module(app: &App, caller: &TeamCaller, request: NewModule, module: Bytes) -> Result<Saved> {
    check_texts(app, &request.name, &request.remark)?;
    let (hash, bytes, functions) = read(app, &module).await?;
    let entry = functions.into_iter().find(|known| known.entry == request.entry);
    let entry = entry.ok_or_else(|| Error::field("entry", "Choose one of the functions of the module."))?;
    let parameters = entry.arguments.iter().enumerate();
    let version = UserFunctionVersion {
        number: 0,
        kind: entry.kind,
        language: FunctionLanguage::Wasm,
        signature: String::new(),
        parameters: parameters
            .map(|(index, ty)| FunctionParameter { name: format!("a{}", index + 1), data_type: ty.clone() })
            .collect(),
        definition: None,
        entry: Some(entry.entry),
        module_hash: Some(hash.clone()),
        module_bytes: Some(bytes),
        created_by: caller.caller.name.clone(),
        created_at: now_ms(),
    };
    // The engine looks into the file once more. Whatever refuses it from here on, the file goes again.
    let changing = app.modules.change().await;
    changing.keep(&hash, module).await?;
    let saved = save(app, caller, &request.name, &request.remark, request.overwrite, version).await;
    if saved.is_err() {
        changing.remove_all_but(store::function::modules_in_use(&app.store).await?).await;
    }
    saved
}

pub async fn create_macro(app: &App, caller: &TeamCaller, request: NewMacro) -> Result<Saved> {
    check_texts(app, &request.name, &request.remark)?;
    check_length(&request.definition)?;
    let version = UserFunctionVersion {
        number: 0,
        kind: FunctionKind::Scalar,
        language: FunctionLanguage::Sql,
        signature: String::new(),
        parameters: macro_text::parameters(&request.definition),
        definition: Some(request.definition.trim().to_owned()),
        entry: None,
        module_hash: None,
        module_bytes: None,
        created_by: caller.caller.name.clone(),
        created_at: now_ms(),
    };
    save(app, caller, &request.name, &request.remark, request.overwrite, version).await
}

fn check_length(definition: &str) -> Result<()> {
    if definition.len() > LONGEST_DEFINITION {
        return Err(Error::field("definition", "The definition is longer than 16 KB."));
    }
    Ok(())
}

/// What is wrong with a macro while it is written; keeps nothing.
pub async fn check_macro(app: &App, caller: &TeamCaller, request: NewMacro) -> Result<MacroCheck> {
    check_length(&request.definition)?;
    // While the name is missing or wrong the rest can be checked all the same.
    let named = check_texts(app, &request.name, "").is_ok();
    let name = if named { request.name.clone() } else { "f".to_owned() };
    let source =
        FunctionSource { kind: FunctionKind::Scalar, body: FunctionBody::Sql { definition: request.definition } };
    let catalog = others(app, caller.team, &name).await?;
    let checked = sql::plan(app, move |engine| engine.check_function(&name, &source, &catalog)).await?;
    let (info, problems) = match checked {
        Ok(info) => (Some(info), Vec::new()),
        Err(problems) => (None, problems),
    };
    let functions = store::function::list(&app.store, caller.team).await?;
    let key = store::function::key(&request.name);
    let existing = functions.iter().find(|(row, _)| store::function::key(&row.name) == key);
    Ok(MacroCheck { problems, info, existing: existing.map(|(_, newest)| newest.number) })
}

fn check_texts(app: &App, name: &str, remark: &str) -> Result<()> {
    check::sql_name("name", name)?;
    check::description("remark", remark)?;
    let key = store::function::key(name);
    if app.engine.functions().iter().any(|built_in| store::function::key(&built_in.name) == key) {
        return Err(Error::field(
            "name",
            format!("There is a built-in function {}. Choose another name.", name.to_uppercase()),
        ));
    }
    Ok(())
}

/// Before and after, for the audit trail.
pub struct Saved {
    pub before: Option<UserFunctionVersion>,
    pub after: UserFunction,
}

/// A new function, or a new version of the one with this name when that was asked for.
async fn save(
    app: &App,
    caller: &TeamCaller,
    name: &str,
    remark: &str,
    overwrite: bool,
    mut version: UserFunctionVersion,
) -> Result<Saved> {
    let source = source(app, &version).ok_or_else(|| Error::internal(anyhow::anyhow!("a function without a body")))?;
    let (asked, language) = (name.to_owned(), version.language);
    let catalog = others(app, caller.team, name).await?;
    let checked = sql::plan(app, move |engine| engine.check_function(&asked, &source, &catalog)).await?;
    version.signature = checked.map_err(|problems| refused(language, &problems))?.signature;
    let now = now_ms();
    let by = &caller.caller.name;
    let (id, before) = transact!(app.store, tx => {
        let Some(mut known) = store::function::by_name(tx, caller.team, name).await? else {
            if store::function::count(tx, caller.team).await? >= MOST_FUNCTIONS {
                return Err(Error::field("name", format!("A team has at most {MOST_FUNCTIONS} functions.")));
            }
            let (id, team, updated_by) = (FunctionId(new_id()), caller.team, by.clone());
            let (name, remark) = (name.to_owned(), remark.to_owned());
            let row = FunctionRow { id, team, name, remark, created_at: now, updated_at: now, updated_by };
            store::function::insert(tx, &row).await?;
            store::function::insert_version(tx, id, &UserFunctionVersion { number: 1, ..version.clone() }).await?;
            return Ok((id, None));
        };
        let newest = store::function::newest_in(tx, known.id).await?;
        let number = newest.as_ref().map_or(0, |newest| newest.number);
        if !overwrite {
            return Err(exists(&known.name, number));
        }
        if newest.as_ref().is_none_or(|newest| !is_same(newest, &version)) {
            let next = UserFunctionVersion { number: number + 1, ..version.clone() };
            store::function::insert_version(tx, known.id, &next).await?;
        }
        // What a new version says nothing about stays.
        if !remark.is_empty() {
            known.remark = remark.to_owned();
        }
        (known.updated_at, known.updated_by) = (now, by.clone());
        store::function::change(tx, &known).await?;
        Ok((known.id, newest))
    })
    .map_err(|error| {
        let unique = is_unique_violation(&error);
        if unique { exists(name, 1) } else { error }
    })?;
    app.live.publish(caller.team, &LiveEvent::FunctionsChanged { function: id });
    Ok(Saved { before, after: get(app, &caller.sight(), id).await? })
}

fn is_same(left: &UserFunctionVersion, right: &UserFunctionVersion) -> bool {
    let content = |version: &UserFunctionVersion| {
        (version.definition.clone(), version.entry.clone(), version.module_hash.clone())
    };
    content(left) == content(right)
}

fn exists(name: &str, number: u32) -> Error {
    Error::name_taken("name", format!("There is a function {name} already, at version {number}."))
        .hint("Choose another name, or ask for a new version of it: overwrite.")
}

fn refused(language: FunctionLanguage, problems: &[Diagnostic]) -> Error {
    let field = match language {
        FunctionLanguage::Wasm => "module",
        FunctionLanguage::Sql => "definition",
    };
    let said = |problem: &Diagnostic| match &problem.span {
        Some(span) if language == FunctionLanguage::Sql => {
            format!("Line {}, column {}: {}", span.line, span.column, problem.message)
        }
        _ => problem.message.clone(),
    };
    let details = problems.iter().map(|problem| FieldError { field: field.to_owned(), message: said(problem) });
    let message = problems.first().map_or_else(|| "The function is not valid.".to_owned(), said);
    Error::new(Code::ValidationFailed, ErrorDomain::User, Retry::AfterChange, message)
        .at(field)
        .details(details.collect())
}

/// Before and after, for the audit trail.
pub async fn change(
    app: &App,
    caller: &TeamCaller,
    id: FunctionId,
    request: FunctionChange,
) -> Result<(String, UserFunction)> {
    check::description("remark", &request.remark)?;
    let before = transact!(app.store, tx => {
        let known = store::function::get_in(tx, caller.team, id).await?.ok_or_else(|| Error::not_found("function"))?;
        let (updated_at, updated_by) = (now_ms(), caller.caller.name.clone());
        let changed = FunctionRow { remark: request.remark.clone(), updated_at, updated_by, ..known.clone() };
        store::function::change(tx, &changed).await?;
        Ok(known.remark)
    })?;
    app.live.publish(caller.team, &LiveEvent::FunctionsChanged { function: id });
    Ok((before, get(app, &caller.sight(), id).await?))
}

/// Refused while jobs use it. Its modules stay for versions of jobs that were saved with them.
pub async fn delete(app: &App, caller: &TeamCaller, id: FunctionId) -> Result<UserFunction> {
    let before = get(app, &caller.sight(), id).await?;
    let seen = VisibleJobs::load(app, &caller.sight()).await?;
    let changing = app.modules.change().await;
    transact!(app.store, tx => {
        store::function::get_in(tx, caller.team, id).await?.ok_or_else(|| Error::not_found("function"))?;
        let jobs = store::function::jobs_using(tx, caller.team, id).await?;
        if !jobs.is_empty() {
            let message = format!("The function cannot be deleted: {}.", seen.in_words(&jobs));
            return Err(Error::conflict(Code::FunctionInUse, message).hint("Change or delete the jobs first."));
        }
        store::function::delete(tx, id).await
    })?;
    changing.remove_all_but(store::function::modules_in_use(&app.store).await?).await;
    app.live.publish(caller.team, &LiveEvent::FunctionsChanged { function: id });
    Ok(before)
}

/// At start: what a server left behind that was killed, and modules of jobs and teams that are gone.
pub async fn tidy_up(app: Arc<App>) {
    let changing = app.modules.change().await;
    match store::function::modules_in_use(&app.store).await {
        Ok(used) => changing.remove_all_but(used).await,
        Err(error) => tracing::warn!(%error, "modules that nobody uses could not be looked for"),
    }
}

/// The module of the newest version.
pub async fn module_bytes(app: &App, team: TeamId, id: FunctionId) -> Result<Vec<u8>> {
    row(app, team, id).await?;
    let newest = store::function::versions(&app.store, id).await?.into_iter().next();
    let hash = newest.and_then(|version| version.module_hash);
    let hash = hash.ok_or_else(|| Error::not_found("module: this function is written in SQL"))?;
    tokio::fs::read(app.modules.path(&hash)).await.map_err(Error::internal)
}
