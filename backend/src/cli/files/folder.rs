//! The files of a team, and what is remembered beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sha2::{Digest, Sha256};
use yaml_serde::Value;

use super::canonical::{
    self, ConnectionFile, DatabaseFile, FunctionFile, JobFile, TableFile, VariableFile, placeholders,
};
use super::item::{Item, Key, Kind, key_of};
use super::variables::Variables;
use crate::access::secret::hex;

/// Deeper than `tables/<database>/<table>.yaml` nothing of ours lies.
const DEPTH: usize = 3;

pub(super) struct Folder {
    root: PathBuf,
    base_file: PathBuf,
    base: BTreeMap<String, Remembered>,
}

/// An object and its files as they were when the files were last written or applied.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Remembered {
    /// Of the object's canonical text.
    object: String,
    /// Of the files as they lay there, variables and all.
    files: String,
}

pub(super) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

impl Folder {
    /// `place`: `team@server`, since one folder may be applied to several.
    pub(super) fn open(root: &Path, place: &str) -> anyhow::Result<Folder> {
        let base_file = root.join(".millrace").join(format!("{place}.json"));
        let base = match std::fs::read_to_string(&base_file) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} is not valid", base_file.display()))?,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(cause) => return Err(cause).with_context(|| format!("{} cannot be read", base_file.display())),
        };
        Ok(Folder { root: root.to_owned(), base_file, base })
    }

    pub(super) fn base(&self) -> BTreeMap<String, String> {
        self.base.iter().map(|(path, known)| (path.clone(), known.object.clone())).collect()
    }

    /// Remembers what an object is now; `None` when it is gone. Kept by [`Folder::save_base`].
    pub(super) fn remember(&mut self, path: &str, text: Option<&str>) -> anyhow::Result<()> {
        match text {
            Some(text) => {
                let files = self.files_hash(path)?.unwrap_or_default();
                self.base.insert(path.to_owned(), Remembered { object: hash(text), files });
            }
            None => {
                self.base.remove(path);
            }
        }
        Ok(())
    }

    pub(super) fn save_base(&self) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(&self.base)?;
        write_whole(&self.base_file, format!("{text}\n").as_bytes())
    }

    /// Every object of the folder, with variables filled in.
    pub(super) fn read(&self, variables: &Variables) -> anyhow::Result<Vec<Item>> {
        let mut items = Vec::new();
        let paths = self.paths()?;
        // In scripts the names of the team's variables are left for the server to fill in.
        let of_team = paths.iter().filter_map(|path| key_of(path)).filter(|key| key.kind == Kind::Variable);
        let of_team: BTreeSet<String> = of_team.map(|key| key.name).collect();
        for path in paths {
            let item = self.read_one(&path, variables, &of_team).with_context(|| format!("{path}.yaml"))?;
            items.push(item);
        }
        if items.is_empty() {
            bail!("{} holds no file of a team: nothing like jobs/<name>.yaml is there", self.root.display());
        }
        Ok(items)
    }

    /// Paths without ending, sorted, of all files that stand for an object.
    fn paths(&self) -> anyhow::Result<Vec<String>> {
        let mut paths = Vec::new();
        for kind in Kind::ALL {
            collect(&self.root.join(kind.folder()), kind.folder(), DEPTH, &mut paths)?;
        }
        paths.sort();
        Ok(paths)
    }

    fn read_one(&self, path: &str, variables: &Variables, of_team: &BTreeSet<String>) -> anyhow::Result<Item> {
        let key = key_of(path).context("the name of this file is not one of an object")?;
        let text = std::fs::read_to_string(self.root.join(format!("{path}.yaml")))?;
        let mut document: Value = canonical::read(&text)?;
        variables.fill_in(&mut document)?;
        let yaml = in_canonical_form(&key, &canonical::write(&document)?)?;
        let sql = match key.kind {
            Kind::Job => {
                let file = self.root.join(format!("{path}.sql"));
                let sql = std::fs::read_to_string(&file).context("a job needs a file of SQL beside it")?;
                Some(variables.fill_in_sql(&sql, of_team))
            }
            _ => None,
        };
        let module = match key.kind {
            Kind::Function => std::fs::read(self.root.join(format!("{path}.wasm"))).ok(),
            _ => None,
        };
        let yaml = match (&module, key.kind) {
            // The file beside counts, whatever the YAML says of it.
            (Some(module), Kind::Function) => with_module(&yaml, module)?,
            _ => yaml,
        };
        let (yaml, secrets) = match key.kind {
            Kind::Connection => {
                let mut file: ConnectionFile = canonical::read(&yaml)?;
                let usual = placeholders(&key.name, file.secrets.keys());
                let secrets = std::mem::replace(&mut file.secrets, usual);
                (canonical::write(&file)?, secrets)
            }
            Kind::Table => {
                let mut file: TableFile = canonical::read(&yaml)?;
                let usual = placeholders(&key.name, file.secrets.keys());
                let secrets = std::mem::replace(&mut file.secrets, usual);
                (canonical::write(&file)?, secrets)
            }
            Kind::Variable => {
                let file: VariableFile = canonical::read(&yaml)?;
                (canonical::write(&file.with_usual_placeholders(&key.name)?)?, file.secrets)
            }
            _ => (yaml, BTreeMap::new()),
        };
        Ok(Item { key, yaml, sql, module, secrets })
    }

    /// Files that are different from when they were written or applied, or gone.
    pub(super) fn edited(&self) -> anyhow::Result<Vec<String>> {
        let mut edited = Vec::new();
        for (path, known) in &self.base {
            if self.files_hash(path)? != Some(known.files.clone()) {
                edited.push(format!("{path}.yaml"));
            }
        }
        Ok(edited)
    }

    /// Of the files of one object as they lie there; `None` when there is none.
    fn files_hash(&self, path: &str) -> anyhow::Result<Option<String>> {
        let mut digest = Sha256::new();
        let mut any = false;
        for ending in ["yaml", "sql"] {
            match std::fs::read(self.root.join(format!("{path}.{ending}"))) {
                Ok(bytes) => {
                    any = true;
                    digest.update((bytes.len() as u64).to_be_bytes());
                    digest.update(&bytes);
                }
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => digest.update([0xff]),
                Err(cause) => return Err(cause).with_context(|| format!("{path}.{ending} cannot be read")),
            }
        }
        Ok(any.then(|| hex(&digest.finalize())))
    }

    /// Writes all objects, and removes the files of those that are not among them any more.
    pub(super) fn write(mut self, items: &[Item]) -> anyhow::Result<()> {
        let gone: Vec<String> =
            self.base.keys().filter(|path| !items.iter().any(|item| item.path() == **path)).cloned().collect();
        for path in gone {
            for ending in ["yaml", "sql", "wasm"] {
                let file = self.root.join(format!("{path}.{ending}"));
                if file.is_file() {
                    std::fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
                }
            }
            self.base.remove(&path);
        }
        for item in items {
            let path = item.path();
            write_whole(&self.root.join(format!("{path}.yaml")), item.yaml.as_bytes())?;
            if let Some(sql) = &item.sql {
                write_whole(&self.root.join(format!("{path}.sql")), sql.as_bytes())?;
            }
            if let Some(module) = &item.module {
                write_whole(&self.root.join(format!("{path}.wasm")), module)?;
            }
            let files = self.files_hash(&path)?.unwrap_or_default();
            self.base.insert(path, Remembered { object: hash(&item.text()), files });
        }
        self.save_base()
    }
}

/// Read into the type of its kind and written again: defaults, order and quotes make no difference.
fn in_canonical_form(key: &Key, yaml: &str) -> anyhow::Result<String> {
    match key.kind {
        Kind::Connection => canonical::write(&canonical::read::<ConnectionFile>(yaml)?),
        Kind::Variable => canonical::write(&canonical::read::<VariableFile>(yaml)?),
        Kind::Database => canonical::write(&canonical::read::<DatabaseFile>(yaml)?),
        Kind::Function => canonical::write(&canonical::read::<FunctionFile>(yaml)?),
        Kind::Table => canonical::write(&canonical::read::<TableFile>(yaml)?),
        Kind::Job => canonical::write(&canonical::read::<JobFile>(yaml)?),
    }
}

fn with_module(yaml: &str, module: &[u8]) -> anyhow::Result<String> {
    let mut file: FunctionFile = canonical::read(yaml)?;
    file.module = Some(crate::module::hash_of(module));
    canonical::write(&file)
}

fn collect(folder: &Path, prefix: &str, depth: usize, paths: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(cause).with_context(|| format!("{} cannot be read", folder.display())),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = format!("{prefix}/{name}");
        if entry.file_type()?.is_dir() && depth > 1 {
            collect(&entry.path(), &path, depth - 1, paths)?;
        } else if let Some(stem) = path.strip_suffix(".yaml") {
            paths.push(stem.to_owned());
        }
    }
    Ok(())
}

/// Written beside and renamed: a file is old or new, never half.
fn write_whole(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(".new");
        std::fs::write(&fresh, content)?;
        std::fs::rename(&fresh, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
