//! One part file while it is written under its hidden name.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use ::parquet::arrow::ArrowWriter;
use serde::{Deserialize, Serialize};

use super::sink::Shape;
use super::{AVRO, PARQUET, parquet, path};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::format::avro::container::{Codec, ContainerWriter};
use crate::format::avro::file_schema;
use crate::format::{Encoder, Slab};

/// A finished part: what a checkpoint keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) hidden: String,
    pub(super) name: String,
}

pub(super) struct PartName<'a> {
    /// Of the partition; empty where there are none.
    pub(super) folder: &'a str,
    pub(super) identity: &'a str,
    pub(super) attempt: &'a str,
    pub(super) task: usize,
    pub(super) number: u64,
    pub(super) extension: &'a str,
}

impl PartName<'_> {
    pub(super) fn hidden_prefix(identity: &str) -> String {
        format!(".{identity}-part-")
    }

    fn part(&self) -> Part {
        let PartName { folder, identity, attempt, task, number, extension } = self;
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Part {
            hidden: format!("{folder}{}{attempt}-{task}-{number:06}.{extension}", Self::hidden_prefix(identity)),
            name: format!("{folder}part-{attempt}-{task}-{number:06}.{extension}"),
        }
    }
}

pub(super) struct PartWriter {
    path: PathBuf,
    part: Part,
    body: Body,
    bytes: u64,
}

enum Body {
    Records { file: File, encoder: Box<dyn Encoder>, slab: Slab, lines: Vec<u8> },
    Parquet(Box<ArrowWriter<File>>),
    Avro(Box<ContainerWriter<File>>),
}

impl PartWriter {
    pub(super) fn create(folder: &Path, name: &PartName<'_>, shape: &Shape) -> Result<Self> {
        let part = name.part();
        let path = folder.join(&part.hidden);
        let created = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = created.map_err(|error| path::failed("created", &path, &error))?;
        if shape.format_name == PARQUET {
            let body = Body::Parquet(Box::new(parquet::writer(file, &shape.schema, shape.options.get("compression"))?));
            return Ok(PartWriter { path, part, body, bytes: 0 });
        }
        if shape.format_name == AVRO {
            let codec = Codec::of_option(shape.options.get("codec"))?;
            let schema = file_schema(&shape.fields, &shape.options)?;
            let writer = ContainerWriter::new(file, schema, codec);
            let writer = writer.map_err(|error| path::failed("written", &path, &error))?;
            return Ok(PartWriter { path, part, body: Body::Avro(Box::new(writer)), bytes: 0 });
        }
        if shape.format_name == "csv" && shape.options.is_true("header") {
            let names: Vec<&str> = shape.fields.iter().map(|field| field.name.as_str()).collect();
            let line = names.join(&char::from(shape.options.character("field-delimiter", b',')).to_string()) + "\n";
            file.write_all(line.as_bytes()).map_err(|error| path::failed("written", &path, &error))?;
        }
        let encoder = shape.format.encoder(&shape.fields, &shape.options)?;
        Ok(PartWriter {
            path,
            part,
            body: Body::Records { file, encoder, slab: Slab::default(), lines: Vec::new() },
            bytes: 0,
        })
    }

    pub(super) fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        match &mut self.body {
            Body::Records { file, encoder, slab, lines } => {
                slab.clear();
                lines.clear();
                encoder.encode(&batch.rows, batch.kinds.as_deref(), slab)?;
                for record in slab.records() {
                    lines.extend_from_slice(record);
                    lines.push(b'\n');
                }
                file.write_all(lines).map_err(|error| path::failed("written", &self.path, &error))?;
                self.bytes += lines.len() as u64;
            }
            Body::Parquet(writer) => {
                writer.write(&batch.rows).map_err(parquet::write_failed)?;
                self.bytes = (writer.bytes_written() + writer.in_progress_size()) as u64;
            }
            Body::Avro(writer) => {
                writer.write(&batch.rows)?;
                self.bytes = writer.bytes();
            }
        }
        Ok(())
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Closes the file with everything on disk.
    pub(super) fn finish(self) -> Result<Part> {
        let file = match self.body {
            Body::Records { file, .. } => file,
            Body::Parquet(writer) => writer.into_inner().map_err(parquet::write_failed)?,
            Body::Avro(writer) => writer.finish()?,
        };
        file.sync_all().map_err(|error| path::failed("written", &self.path, &error))?;
        Ok(self.part)
    }

    pub(super) fn into_hidden_path(self) -> PathBuf {
        self.path
    }
}
