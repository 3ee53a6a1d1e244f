//! Where a reader gets records from: the brokers themselves, or the client library.
//!
//! Both give runs of records of one partition, in order. The library does it for every cluster and every setting; the
//! direct way is several times cheaper for each record.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use tokio::runtime::Handle;

use super::super::SplitId;
use super::client::{Consumer, Reach};
use super::direct::Direct;
use super::library::Library;
use super::offset::Partition;
use crate::error::Result;

/// A record where it lies.
pub(super) struct Message<'a> {
    pub(super) offset: i64,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) details: &'a dyn Details,
}

/// Takes name and value of a header.
pub(super) type HeaderVisit<'a> = &'a mut dyn FnMut(&[u8], Option<&[u8]>);

/// What only few tables ask of a record.
pub(super) trait Details {
    /// Milliseconds, and Flink's name of its kind.
    fn timestamp(&self) -> (i64, &'static str);

    /// Calls `visit` with name and value of each header.
    fn each_header(&self, visit: HeaderVisit<'_>);

    /// None where it is not known.
    fn leader_epoch(&self) -> Option<i32>;
}

/// Something about the partition at the front.
pub(super) enum Given<'a> {
    Record(Message<'a>),
    /// Milliseconds of a record about as new as those that come.
    Newest(i64),
    /// Everything before this offset was given, or is no record.
    Reached(i64),
    Failed(RDKafkaErrorCode),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    More,
    Enough,
}

pub(super) enum Waited {
    Something,
    Nothing,
    /// A partition, or a whole topic, cannot be read.
    Refused(SplitId, RDKafkaErrorCode),
    /// The other way has to be taken.
    Unsupported(&'static str),
}

/// A partition and the next offset to read of it.
pub(super) struct Position {
    pub(super) split: SplitId,
    pub(super) partition: Partition,
    pub(super) next: i64,
}

pub(super) enum Feed {
    Direct(Direct),
    Library(Library),
}

impl Feed {
    /// The cheaper one, where the settings allow it.
    pub(super) fn new(config: &ClientConfig, consumer: &Arc<Consumer>, reach: Reach, runtime: &Handle) -> Result<Self> {
        match Direct::new(config, consumer, reach, runtime) {
            Some(direct) => Ok(Feed::Direct(direct)),
            None => Feed::library(consumer),
        }
    }

    pub(super) fn library(consumer: &Arc<Consumer>) -> Result<Self> {
        Ok(Feed::Library(Library::new(consumer)?))
    }

    /// Reads these from there on, and nothing else any more.
    pub(super) fn assign(&mut self, positions: Vec<Position>) -> Result<()> {
        match self {
            Feed::Direct(direct) => {
                direct.assign(positions);
                Ok(())
            }
            Feed::Library(library) => library.assign(&positions),
        }
    }

    /// No more of it is wanted.
    pub(super) fn finish(&self, split: &str) {
        match self {
            Feed::Direct(direct) => direct.finish(split),
            // Goes on: taking a partition away would make the library fetch all others anew.
            Feed::Library(_) => {}
        }
    }

    /// Waits for records until the time is over.
    pub(super) fn wait(&mut self, wait: Duration) -> Waited {
        match self {
            Feed::Direct(direct) => direct.wait(wait),
            Feed::Library(library) => library.wait(wait),
        }
    }

    /// Whose records come next.
    pub(super) fn front(&self) -> Option<SplitId> {
        match self {
            Feed::Direct(direct) => direct.front(),
            Feed::Library(library) => library.front(),
        }
    }

    /// Gives what is there of the partition at the front, until enough was taken. `next` is the offset that the reader
    /// expects.
    pub(super) fn give(&mut self, next: i64, take: &mut dyn FnMut(Given<'_>) -> Result<Take>) -> Result<()> {
        match self {
            Feed::Direct(direct) => direct.give(next, take),
            Feed::Library(library) => library.give(take),
        }
    }

    /// End of a partition as it was last heard of.
    pub(super) fn end(&self, split: &str, partition: &Partition) -> Option<i64> {
        match self {
            Feed::Direct(direct) => direct.high_watermark(split),
            Feed::Library(library) => library.high_watermark(partition),
        }
    }
}
