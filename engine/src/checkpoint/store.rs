//! Writing, reading and removing checkpoints in a directory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::manifest::{
    ENCODING, FileEntry, Manifest, NodeEntry, SectionEntry, SegmentFileEntry, SinkEntry, SourceEntry, corrupt,
    from_hex, to_hex,
};
use super::{FORMAT_VERSION, Part, Restored, RestoredSegment};
use crate::error::{EngineError, Result};
use crate::state::{Hashes, SegmentFile};

const MANIFEST: &str = "manifest.json";
const WORK: &str = ".work-";

/// The checkpoints of one job.
#[derive(Clone, Debug)]
pub struct CheckpointStore {
    root: PathBuf,
}

/// What a checkpoint holds besides the parts.
pub struct Written {
    pub number: u64,
    pub savepoint: bool,
    pub run: String,
    pub at: i64,
    pub plan_hash: String,
    pub nodes: Vec<NodeEntry>,
}

impl CheckpointStore {
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        fs::create_dir_all(&root).map_err(|error| failed("create", &root, &error))?;
        Ok(CheckpointStore { root })
    }

    pub fn directory(number: u64, savepoint: bool) -> String {
        if savepoint { format!("savepoint-{number}") } else { format!("chk-{number}") }
    }

    /// Where a run writes state that its checkpoints link to. What earlier attempts left there goes.
    pub fn work(&self, run: &str) -> PathBuf {
        // One of this process may still be at work in the background, and removes its folder when it is done.
        static ATTEMPTS: AtomicU64 = AtomicU64::new(0);
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(WORK.as_bytes()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let attempt = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
        self.root.join(format!("{WORK}{run}-{}-{attempt}", std::process::id()))
    }

    pub fn path(&self, directory: &str) -> PathBuf {
        self.root.join(directory)
    }

    /// Makes a checkpoint durable. Returns its directory's name and its size.
    pub fn write(&self, about: Written, parts: &[Part]) -> Result<(String, u64)> {
        let name = Self::directory(about.number, about.savepoint);
        let hidden = self.root.join(format!(".tmp-{name}"));
        let visible = self.root.join(&name);
        if hidden.exists() {
            fs::remove_dir_all(&hidden).map_err(|error| failed("remove", &hidden, &error))?;
        }
        fs::create_dir(&hidden).map_err(|error| failed("create", &hidden, &error))?;
        let mut manifest = Manifest {
            version: FORMAT_VERSION,
            encoding: ENCODING.to_owned(),
            number: about.number,
            savepoint: about.savepoint,
            run: about.run,
            at: about.at,
            plan_hash: about.plan_hash,
            nodes: about.nodes,
            files: Vec::new(),
            segments: Vec::new(),
            sources: Vec::new(),
            sinks: Vec::new(),
        };
        let mut bytes = 0;
        let mut by_task: BTreeMap<usize, Vec<&Part>> = BTreeMap::new();
        for part in parts {
            describe(part, &mut manifest);
            if part.state.as_ref().is_some_and(|state| !state.groups.is_empty()) {
                by_task.entry(part.task).or_default().push(part);
            }
        }
        for (task, parts) in by_task {
            let entry = write_state(&hidden, task, &parts)?;
            bytes += entry.bytes;
            manifest.files.push(entry);
        }
        bytes += link_segments(&hidden, parts, &mut manifest)?;
        let text = manifest.to_text()?;
        bytes += text.len() as u64;
        write_synced(&hidden.join(MANIFEST), text.as_bytes())?;
        sync_directory(&hidden)?;
        if visible.exists() {
            // An attempt that died after the rename left it; it was never committed, or this number would not be used.
            fs::remove_dir_all(&visible).map_err(|error| failed("replace", &visible, &error))?;
        }
        fs::rename(&hidden, &visible).map_err(|error| failed("rename", &hidden, &error))?;
        sync_directory(&self.root)?;
        Ok((name, bytes))
    }

    /// Reads a checkpoint by the path of its directory, every sum checked.
    pub fn read(path: &Path) -> Result<(Manifest, Restored)> {
        let manifest = Self::manifest(path)?;
        let mut restored = Restored { number: manifest.number, ..Restored::default() };
        for file in &manifest.files {
            let content = fs::read(path.join(&file.name)).map_err(|_| corrupt("a state file is missing"))?;
            if content.len() as u64 != file.bytes {
                return Err(corrupt("a state file has another size"));
            }
            for section in &file.sections {
                let state = read_section(&content, section)?;
                let node = restored.operators.entry(section.node.clone()).or_default();
                node.groups.entry(section.group).or_default().extend_from_slice(&state);
            }
        }
        for entry in &manifest.segments {
            let tables = restored.segments.entry(entry.node.clone()).or_default();
            tables.resize_with(tables.len().max(entry.table + 1), Vec::new);
            tables[entry.table].push(read_segment(path, entry)?);
        }
        for source in &manifest.sources {
            let splits = restored.sources.entry(source.node.clone()).or_default();
            splits.insert(source.split.as_str().into(), (source.position.clone(), source.watermark));
        }
        let mut sinks: BTreeMap<String, BTreeMap<usize, Vec<u8>>> = BTreeMap::new();
        for sink in &manifest.sinks {
            sinks.entry(sink.node.clone()).or_default().insert(sink.task, from_hex(&sink.state)?);
        }
        restored.sinks = sinks.into_iter().map(|(node, tasks)| (node, tasks.into_values().collect())).collect();
        Ok((manifest, restored))
    }

    pub fn manifest(path: &Path) -> Result<Manifest> {
        let mut text = String::new();
        let mut file = File::open(path.join(MANIFEST)).map_err(|_| corrupt("it has no manifest"))?;
        file.read_to_string(&mut text).map_err(|_| corrupt("the manifest is no text"))?;
        Manifest::from_text(&text)
    }

    /// Numbers and directories of all checkpoints and savepoints, newest first. Does not look inside.
    pub fn list(&self) -> Result<Vec<(u64, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(|error| failed("list", &self.root, &error))? {
            let Ok(entry) = entry else { continue };
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let number = name.strip_prefix("chk-").or_else(|| name.strip_prefix("savepoint-"));
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                found.push((number, entry.path()));
            }
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found)
    }

    /// The newest one that is whole, at or below `number` if that is given. Damaged ones are passed over.
    pub fn newest_whole(&self, at_most: Option<u64>) -> Result<Option<(PathBuf, Manifest, Restored)>> {
        for (number, path) in self.list()? {
            if at_most.is_some_and(|most| number > most) {
                continue;
            }
            match Self::read(&path) {
                Ok((manifest, restored)) => return Ok(Some((path, manifest, restored))),
                Err(error) => {
                    tracing::warn!(checkpoint = number, reason = %error, "a checkpoint cannot be used; trying the one before")
                }
            }
        }
        Ok(None)
    }

    /// Keeps the newest `kept` checkpoints up to `number`; savepoints stay until somebody deletes them. What an attempt
    /// before left half-written goes too.
    pub fn prune(&self, number: u64, kept: usize) -> Result<()> {
        let checkpoints = self.list()?.into_iter().filter(|(other, path)| {
            *other <= number && path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"chk-"))
        });
        for (_, path) in checkpoints.skip(kept.max(1)) {
            fs::remove_dir_all(&path).map_err(|error| failed("remove", &path, &error))?;
        }
        Ok(())
    }
}

fn describe(part: &Part, manifest: &mut Manifest) {
    for (split, position, watermark) in part.source.iter().flat_map(|source| &source.splits) {
        manifest.sources.push(SourceEntry {
            node: part.node.to_string(),
            split: split.to_string(),
            position: position.clone(),
            watermark: *watermark,
        });
    }
    if let Some(state) = &part.sink {
        manifest.sinks.push(SinkEntry { node: part.node.to_string(), task: part.task, state: to_hex(state) });
    }
}

/// All operators of the subtasks with this number.
fn write_state(directory: &Path, task: usize, parts: &[&Part]) -> Result<FileEntry> {
    let name = format!("task-{task}.state");
    let mut content = Vec::new();
    let mut sections = Vec::new();
    let states = parts.iter().filter_map(|part| part.state.as_ref().map(|state| (&part.node, &state.groups)));
    for (node, (group, state)) in states.flat_map(|(node, groups)| groups.iter().map(move |group| (node, group))) {
        let frame = zstd::bulk::compress(state, 1)
            .map_err(|error| EngineError::internal("state cannot be compressed").with_detail(error))?;
        sections.push(SectionEntry {
            node: node.to_string(),
            group: *group,
            offset: content.len() as u64,
            length: frame.len() as u64,
            crc32: crc32fast::hash(&frame),
        });
        content.extend_from_slice(&frame);
    }
    write_synced(&directory.join(&name), &content)?;
    Ok(FileEntry { name, bytes: content.len() as u64, sections })
}

/// Names what is on disk already. Returns its size.
fn link_segments(directory: &Path, parts: &[Part], manifest: &mut Manifest) -> Result<u64> {
    let tables =
        parts.iter().flat_map(|part| part.segments.iter().enumerate().map(|(table, of)| (&part.node, table, of)));
    let mut total = 0;
    for (node, table, segment) in tables.flat_map(|(node, table, of)| of.iter().map(move |part| (node, table, part))) {
        let name = format!("{}.segment", manifest.segments.len());
        let bytes = segment.segment.link(&directory.join(&name))?;
        total += bytes;
        manifest.segments.push(SegmentFileEntry {
            name,
            bytes,
            node: node.to_string(),
            table,
            first_hash: segment.hashes.first,
            last_hash: segment.hashes.last,
        });
    }
    Ok(total)
}

fn read_segment(directory: &Path, entry: &SegmentFileEntry) -> Result<RestoredSegment> {
    let path = directory.join(&entry.name);
    let file = SegmentFile::open(&path).map_err(|error| corrupt("a segment is missing").with_detail(error))?;
    if file.bytes() != entry.bytes {
        return Err(corrupt("a segment has another size"));
    }
    file.verify()?;
    Ok(RestoredSegment { path, hashes: Hashes { first: entry.first_hash, last: entry.last_hash } })
}

fn read_section(content: &[u8], section: &SectionEntry) -> Result<Vec<u8>> {
    let range = usize::try_from(section.offset).ok().zip(usize::try_from(section.length).ok());
    let frame = range.and_then(|(offset, length)| content.get(offset..)?.get(..length));
    let frame = frame.ok_or_else(|| corrupt("a section lies outside its file"))?;
    if crc32fast::hash(frame) != section.crc32 {
        return Err(corrupt("a section's checksum is wrong"));
    }
    zstd::stream::decode_all(frame).map_err(|_| corrupt("a section cannot be decompressed"))
}

fn write_synced(path: &Path, content: &[u8]) -> Result<()> {
    let write = || {
        let mut file = File::create_new(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|error| failed("write", path, &error))
}

fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(|error| failed("sync", path, &error))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::external("checkpoint_failed", format!("A checkpoint could not be saved: {error}."))
        .with_detail(format!("{what} {}: {error}", path.display()))
}
