//! One day: its lines, its index, and how they are opened, written and built again.
//!
//! ```text
//! <root>/2026-11-23/lines     the lines, packed (see `source`)
//!                   index/    Tantivy, without texts
//! ```
//! What a commit of the index covers is in its payload: the length of `lines` and the position in the journal. `lines` is on the
//! disk before the commit is made, and what stands behind that length when it is opened for writing is cut off, because the
//! journal still has it. So a crash at any moment leaves lines that are exactly those of the index.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tantivy::directory::MmapDirectory;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{Executor, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher};

use crate::error::{Error, Result};
use crate::event::{Assembler, Placed};
use crate::line::{Day, Line};
use crate::schema::{self, Covered, Entry, FORMAT};
use crate::seen::Seen;
use crate::source::{Address, SourceReader, SourceWriter};

/// Segments up to so many lines are joined with others of their size. A large day keeps several segments, which are searched in
/// parallel.
const MOST_LINES_TO_JOIN: usize = 1_000_000;

/// A day that can be searched.
pub(crate) struct DayIndex {
    pub(crate) day: Day,
    folder: PathBuf,
    index: Index,
    reader: IndexReader,
    source: SourceReader,
}

/// Why a day cannot be searched as it is.
#[derive(Debug)]
pub(crate) struct Damage(pub(crate) String);

impl DayIndex {
    /// Opens what is there, or says what is wrong with it.
    pub(crate) fn open(root: &Path, day: Day, executor: &Executor) -> std::result::Result<DayIndex, Damage> {
        let folder = root.join(day.to_string());
        let broken = |what: &str, cause: &dyn std::fmt::Display| Damage(format!("{what}: {cause}"));
        let format = std::fs::read_to_string(folder.join("format")).unwrap_or_default();
        if format.trim() != FORMAT.to_string() {
            return Err(Damage("it was made by another version".to_owned()));
        }
        let mut index =
            open_index(&folder.join("index")).map_err(|cause| broken("the index cannot be opened", &cause))?;
        if index.schema() != schema::schema().0 {
            return Err(Damage("it has other fields".to_owned()));
        }
        let covered = covered(&index).map_err(|cause| broken("the commit cannot be read", &cause))?;
        let source =
            SourceReader::open(&folder.join("lines")).map_err(|cause| broken("the lines cannot be read", &cause))?;
        let Some(source) = source else { return Err(Damage("the file of lines is missing".to_owned())) };
        let length = source.length().map_err(|cause| broken("the lines cannot be read", &cause))?;
        if length < covered.lines {
            return Err(Damage("the file of lines is shorter than the index knows it".to_owned()));
        }
        index.set_executor(executor.clone());
        let reader =
            index.reader_builder().reload_policy(ReloadPolicy::Manual).doc_store_cache_num_blocks(0).try_into();
        let reader =
            reader.map_err(|cause: tantivy::TantivyError| broken("a part of the index cannot be read", &cause))?;
        Ok(DayIndex { day, folder, index, reader, source })
    }

    /// Makes a day without lines.
    pub(crate) fn create(root: &Path, day: Day) -> Result<()> {
        let folder = root.join(day.to_string());
        std::fs::create_dir_all(&folder)?;
        SourceWriter::open(&folder.join("lines"), 0)?;
        make_index(&folder.join("index"))?;
        finish(&folder)?;
        File::open(root)?.sync_all()?;
        Ok(())
    }

    pub(crate) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    pub(crate) fn line(&self, address: Address) -> Result<Option<Line>> {
        Ok(self.source.line(address)?)
    }

    /// Reads every byte of the index and names the files that are not what was written.
    pub(crate) fn damaged_files(&self) -> Result<Vec<PathBuf>> {
        Ok(self.index.validate_checksum()?.into_iter().collect())
    }
}

/// A day that lines are added to; in the indexing thread only.
pub(crate) struct DayWriter {
    pub(crate) index: Arc<DayIndex>,
    writer: IndexWriter,
    source: SourceWriter,
    seen: Seen,
    /// When the oldest line that is not committed was added.
    pub(crate) dirty: Option<Instant>,
    pub(crate) used: u64,
}

impl DayWriter {
    pub(crate) fn open(index: Arc<DayIndex>, memory: usize) -> Result<DayWriter> {
        let covered = covered(&index.index)?;
        let writer = writer(&index.index, memory)?;
        let source = SourceWriter::open(&index.folder.join("lines"), covered.lines)?;
        let seen = Seen::of(&index.searcher())?;
        Ok(DayWriter { index, writer, source, seen, dirty: None, used: 0 })
    }

    /// Keeps a line, unless it is there already.
    pub(crate) fn keep(&mut self, line: &Line) -> Result<Option<Address>> {
        if !self.seen.insert(&line.stream, line.seq) {
            return Ok(None);
        }
        self.dirty.get_or_insert_with(Instant::now);
        Ok(Some(self.source.push(line)?))
    }

    pub(crate) fn add(&self, entry: &Entry<'_>) -> Result<()> {
        self.writer.add_document(entry.document())?;
        Ok(())
    }

    /// Makes what was added searchable and safe. `journal` is the position up to which this day now has everything.
    pub(crate) fn commit(&mut self, journal: u64) -> Result<()> {
        let covered = Covered { lines: self.source.sync()?, journal };
        commit(&mut self.writer, covered)?;
        self.dirty = None;
        self.index.reader.reload()?;
        Ok(())
    }

    /// Ends the writing of this day, after the joining that is under way.
    pub(crate) fn close(self) -> Result<()> {
        self.writer.wait_merging_threads()?;
        self.index.reader.reload()?;
        Ok(())
    }
}

/// What building a day again brought.
pub(crate) struct Rebuilt {
    pub(crate) lines: u64,
    pub(crate) blocks_lost: u64,
}

/// Builds the index of a day from its lines, beside the old one, and puts it in its place. `stop` ends it early.
pub(crate) fn rebuild(root: &Path, day: Day, memory: usize, stop: &dyn Fn() -> bool) -> Result<Rebuilt> {
    let folder = root.join(day.to_string());
    let new = folder.join("index.new");
    remove(&new)?;
    let index = make_index(&new)?;
    let mut rebuilt = Rebuilt { lines: 0, blocks_lost: 0 };
    let mut end = 0;
    if let Some(source) = SourceReader::open(&folder.join("lines"))? {
        let mut writer = writer(&index, memory)?;
        let mut seen = Seen::default();
        let mut assembler = Assembler::default();
        let mut scan = source.scan();
        while let Some(lines) = scan.next()? {
            if stop() {
                return Err(Error::Closed);
            }
            let mut placed = Vec::new();
            for (address, line) in lines {
                if seen.insert(&line.stream, line.seq) {
                    assembler.take(&Arc::new(line), Some(address), &mut placed);
                    rebuilt.lines += 1;
                }
            }
            add_all(&writer, &placed)?;
        }
        let mut rest = Vec::new();
        assembler.release(&mut rest);
        add_all(&writer, &rest)?;
        (end, rebuilt.blocks_lost) = (scan.end, scan.lost);
        commit(&mut writer, Covered { lines: end, journal: 0 })?;
        writer.wait_merging_threads()?;
    }
    if end == 0 {
        // Not a file of ours: a new one takes its place, and the journal fills it.
        SourceWriter::open(&folder.join("lines"), 0)?;
    }
    drop(index);
    let old = folder.join("index");
    remove(&old)?;
    std::fs::rename(&new, &old)?;
    finish(&folder)?;
    Ok(rebuilt)
}

fn add_all(writer: &IndexWriter, placed: &[Placed]) -> Result<()> {
    for Placed { line, address, event, fingerprint } in placed {
        if let Some(address) = *address {
            writer.add_document(Entry { line, address, event: *event, fingerprint: *fingerprint }.document())?;
        }
    }
    Ok(())
}

fn open_index(path: &Path) -> tantivy::Result<Index> {
    let index = Index::open(MmapDirectory::open(path)?)?;
    schema::register(&index);
    Ok(index)
}

fn make_index(path: &Path) -> Result<Index> {
    std::fs::create_dir_all(path)?;
    let directory = MmapDirectory::open(path).map_err(tantivy::TantivyError::from)?;
    let index = Index::open_or_create(directory, schema::schema().0.clone())?;
    schema::register(&index);
    Ok(index)
}

/// Says which version made this day; without that, it is not whole.
fn finish(folder: &Path) -> Result<()> {
    let hidden = folder.join(".format");
    std::fs::write(&hidden, FORMAT.to_string())?;
    File::open(&hidden)?.sync_all()?;
    std::fs::rename(&hidden, folder.join("format"))?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn writer(index: &Index, memory: usize) -> Result<IndexWriter> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .memory_budget_per_thread(memory)
        .num_merge_threads(1)
        .build();
    let writer: IndexWriter = index.writer_with_options(options)?;
    let mut policy = LogMergePolicy::default();
    policy.set_max_docs_before_merge(MOST_LINES_TO_JOIN);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

fn commit(writer: &mut IndexWriter, covered: Covered) -> Result<()> {
    let mut prepared = writer.prepare_commit()?;
    prepared.set_payload(&serde_json::to_string(&covered).map_err(std::io::Error::from)?);
    prepared.commit()?;
    Ok(())
}

/// An index that was never committed covers nothing.
fn covered(index: &Index) -> Result<Covered> {
    match index.load_metas()?.payload {
        Some(payload) => Ok(serde_json::from_str(&payload).map_err(std::io::Error::from)?),
        None => Ok(Covered::default()),
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}
