//! Dataflow → tasks.

mod lookup;
mod operator;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::chain::{Fan, Link, Outlet};
use super::event::TaskEvent;
use super::exchange::{Exchange, Target};
use super::inbox::{Inbox, Pressure};
use super::layout::Layout;
use super::metrics::MetricsHub;
use super::source_head::{EventTime, Phase, SourceHead};
use super::splits::SplitBoard;
use super::task::{Head, QueueState, Queues, Task};
use super::values::ValuesReader;
use crate::checkpoint::{Restored, RestoredSegment};
use crate::connector::{Source, SplitId, SplitStart};
use crate::error::{EngineError, Result};
use crate::expr::lower::lower_in;
use crate::operator::{FullTable, TableColumns};
use crate::plan::dataflow::{Dataflow, Node, NodeKind, Partitioning};
use crate::state::{KeyedState, LogPart, StateHome, StatePlace, groups_of, hashes_of};
use crate::time::alignment::{Aligned, AlignmentGroup};
use crate::time::watermark::{InputWatermarks, SplitWatermarks};

/// All tasks of a run, and the sources whose splits have to be looked for while it runs.
pub(super) struct Constructed {
    pub(super) tasks: Vec<Task>,
    pub(super) metrics: MetricsHub,
    pub(super) discover: Vec<(Arc<dyn Source>, Arc<SplitBoard>)>,
}

pub(super) struct Constructor<'a> {
    pub(super) dataflow: &'a Dataflow,
    pub(super) layout: Layout,
    pub(super) restored: Option<&'a Restored>,
    pub(super) pressure: Pressure,
    pub(super) batch_rows: usize,
    home: Arc<StateHome>,
    pub(super) events: Sender<TaskEvent>,
    metrics: MetricsHub,
    /// By chain and subtask.
    inboxes: HashMap<(usize, usize), Arc<Inbox>>,
    discover: Vec<(Arc<dyn Source>, Arc<SplitBoard>)>,
    /// Tables of lookup joins that are loaded whole, by node.
    full_tables: RefCell<HashMap<usize, Arc<FullTable>>>,
    /// Sources that wait for each other, by the name of their group.
    alignments: HashMap<String, Arc<AlignmentGroup>>,
}

impl<'a> Constructor<'a> {
    pub(super) fn new(
        dataflow: &'a Dataflow,
        restored: Option<&'a Restored>,
        pressure: Pressure,
        batch_rows: usize,
        home: Arc<StateHome>,
        events: Sender<TaskEvent>,
    ) -> Self {
        let layout = Layout::of(dataflow);
        Constructor {
            dataflow,
            layout,
            restored,
            pressure,
            batch_rows,
            home,
            events,
            metrics: MetricsHub::new(),
            inboxes: HashMap::new(),
            discover: Vec::new(),
            full_tables: RefCell::default(),
            alignments: HashMap::new(),
        }
    }

    pub(super) fn build(mut self) -> Result<Constructed> {
        for node in &self.dataflow.nodes {
            let table = match &node.kind {
                NodeKind::Source { table, .. } | NodeKind::Sink { table: Some(table), .. } => Some(table.name.clone()),
                _ => None,
            };
            self.metrics.add_node(Arc::clone(&node.id), table);
        }
        let heads: Vec<usize> = self.layout.heads().collect();
        for head in &heads {
            let queues = self.queue_inputs(*head).len();
            for subtask in 0..self.tasks_of(*head) {
                self.inboxes.insert((*head, subtask), Arc::new(Inbox::new(queues, self.pressure)));
            }
        }
        let mut tasks = Vec::new();
        for head in heads {
            let board = self.board(head)?;
            for subtask in 0..self.tasks_of(head) {
                let task = self.task(tasks.len(), head, subtask, board.as_ref())?;
                tasks.push(task);
            }
        }
        Ok(Constructed { tasks, metrics: self.metrics, discover: self.discover })
    }

    fn node(&self, index: usize) -> &'a Node {
        &self.dataflow.nodes[index]
    }

    fn tasks_of(&self, node: usize) -> usize {
        self.node(node).parallelism.max(1) as usize
    }

    /// The logical input that each queue of a task of this chain belongs to.
    fn queue_inputs(&self, head: usize) -> Vec<usize> {
        let mut queues = Vec::new();
        for (number, input) in self.node(head).inputs.iter().enumerate() {
            let senders = if self.is_straight(head, number) { 1 } else { self.tasks_of(input.from) };
            queues.extend(std::iter::repeat_n(number, senders));
        }
        queues
    }

    /// Task i sends to task i only.
    fn is_straight(&self, head: usize, input: usize) -> bool {
        let input = &self.node(head).inputs[input];
        input.partitioning == Partitioning::Forward && self.tasks_of(input.from) == self.tasks_of(head)
    }

    /// Distributes the splits of a source over its tasks: first those of the checkpoint, in order, then new ones.
    fn board(&mut self, head: usize) -> Result<Option<Arc<SplitBoard>>> {
        let node = self.node(head);
        let board = Arc::new(SplitBoard::new(self.tasks_of(head)));
        match &node.kind {
            NodeKind::Source { source, .. } => {
                let known = self.restored.and_then(|restored| restored.sources.get(&*node.id));
                board.add(known.into_iter().flat_map(|splits| splits.keys().cloned()));
                board.add(source.splits().map_err(|error| error.in_operator(&node.id))?);
                if !source.bounded() {
                    self.discover.push((Arc::clone(source), Arc::clone(&board)));
                }
            }
            NodeKind::Values { .. } => board.add([ValuesReader::split()]),
            _ => return Ok(None),
        }
        Ok(Some(board))
    }

    fn task(&mut self, index: usize, head: usize, subtask: usize, board: Option<&Arc<SplitBoard>>) -> Result<Task> {
        let inbox = self.inbox(head, subtask)?;
        let head_of_task = match board {
            Some(board) => self.source_head(head, subtask, board)?,
            None => {
                let input_of = self.queue_inputs(head);
                let queues = input_of.len();
                Head::Queues(Queues {
                    first: Box::new(self.link(head, subtask)?),
                    watermarks: InputWatermarks::new(queues),
                    state: vec![QueueState::Open; queues],
                    input_of,
                    barrier: None,
                    snapshotted: 0,
                    end_sent: false,
                })
            }
        };
        Ok(Task {
            index,
            subtask,
            name: format!("{}-{subtask}", &self.node(head).id[..8.min(self.node(head).id.len())]),
            head: head_of_task,
            inbox,
            events: self.events.clone(),
            expired: None,
            closed: false,
        })
    }

    fn inbox(&self, head: usize, subtask: usize) -> Result<Arc<Inbox>> {
        self.inboxes.get(&(head, subtask)).cloned().ok_or_else(|| EngineError::internal("a task has no inbox"))
    }

    fn link(&mut self, index: usize, subtask: usize) -> Result<Link> {
        let node = self.node(index);
        let mut operator = self.operator(index, subtask).map_err(|error| error.in_operator(&node.id))?;
        let home = Arc::clone(&self.home);
        operator.attach(StatePlace { home, hashes: hashes_of(subtask, self.tasks_of(index)) });
        if let Some(state) = self.restored.and_then(|restored| restored.operators.get(&*node.id)) {
            let groups = groups_of(subtask, self.tasks_of(index));
            let own = state.groups.iter().filter(|(group, _)| groups.contains(group));
            operator.restore(KeyedState { groups: own.map(|(group, bytes)| (*group, bytes.clone())).collect() })?;
        }
        if let Some(tables) = self.restored.and_then(|restored| restored.segments.get(&*node.id)) {
            let part = |segment: &RestoredSegment| {
                Ok(LogPart { segment: self.home.adopt(&segment.path)?, hashes: segment.hashes })
            };
            let parts = |table: &Vec<RestoredSegment>| table.iter().map(part).collect::<Result<Vec<_>>>();
            operator.adopt(tables.iter().map(parts).collect::<Result<_>>()?)?;
        }
        let metrics = self.metrics.add_task(index);
        let next = self.fan(index, subtask)?;
        Ok(Link { id: Arc::clone(&node.id), operator, next, metrics })
    }

    fn fan(&mut self, from: usize, subtask: usize) -> Result<Fan> {
        let mut outlets = Vec::new();
        for (index, node) in self.dataflow.nodes.iter().enumerate() {
            let mut queue = 0;
            for (number, input) in node.inputs.iter().enumerate() {
                let straight = self.is_straight(index, number);
                if input.from == from {
                    if self.layout.chain_of[index] == self.layout.chain_of[from] {
                        outlets.push(Outlet::Link(Box::new(self.link(index, subtask)?)));
                    } else {
                        outlets.push(Outlet::Exchange(self.exchange(from, index, number, subtask, queue)?));
                    }
                }
                queue += if straight { 1 } else { self.tasks_of(input.from) };
            }
        }
        let inbox = self.inbox(self.layout.chain_of[from], subtask)?;
        Ok(Fan::new(outlets, self.batch_rows, inbox))
    }

    /// `queue` is the first queue of this input.
    fn exchange(&self, from: usize, to: usize, input: usize, subtask: usize, queue: usize) -> Result<Exchange> {
        let targets = if self.is_straight(to, input) {
            vec![Target { inbox: self.inbox(to, subtask)?, queue }]
        } else {
            let target = |task: usize| Ok(Target { inbox: self.inbox(to, task)?, queue: queue + subtask });
            (0..self.tasks_of(to)).map(target).collect::<Result<_>>()?
        };
        let schema = self.node(from).schema.to_arrow();
        Exchange::new(&self.node(to).inputs[input].partitioning, &schema, targets)
    }

    fn source_head(&mut self, index: usize, subtask: usize, board: &Arc<SplitBoard>) -> Result<Head> {
        let node = self.node(index);
        let known = self.restored.and_then(|restored| restored.sources.get(&*node.id));
        let own: Vec<SplitId> = board.fetch(subtask);
        let start = |split: &SplitId| SplitStart {
            split: split.clone(),
            position: known.and_then(|known| known.get(split)).map(|(position, _)| position.clone()),
        };
        let starts: Vec<SplitStart> = own.iter().map(start).collect();
        let watermarks: Vec<(SplitId, i64)> = own
            .iter()
            .filter_map(|split| known?.get(split).map(|(_, watermark)| (split.clone(), *watermark)))
            .collect();
        let context = self.context();
        let (reader, columns, event_time, idle_timeout, bounded) = match &node.kind {
            NodeKind::Source { table, source, read, used, idle_timeout, .. } => {
                let reader = source.reader(starts).map_err(|error| error.in_operator(&node.id))?;
                let columns = TableColumns::new(table, read, used, context)?;
                // In batch mode no row is late: windows wait for the end.
                let streaming = table.watermark.as_ref().filter(|_| !self.dataflow.settings.batch);
                let event_time = streaming.map(|watermark| {
                    Ok::<_, EngineError>(EventTime {
                        column: watermark.column,
                        table: table.name.clone(),
                        watermark: lower_in(&watermark.expression, &table.schema(), context)?,
                        deletes_by_key: source.upserts(),
                    })
                });
                (reader, Some(columns), event_time.transpose()?, *idle_timeout, source.bounded())
            }
            NodeKind::Values { rows } => {
                let restored = starts.first().and_then(|start| start.position.as_ref());
                let rows = if own.is_empty() { &[][..] } else { rows.as_slice() };
                let reader = ValuesReader::new(rows, &node.schema, self.batch_rows, restored)?;
                (Box::new(reader) as Box<_>, None, None, Duration::ZERO, true)
            }
            _ => return Err(EngineError::internal("a source task has no source")),
        };
        let aligned = match &node.kind {
            NodeKind::Source { alignment: Some(alignment), .. } => {
                let group = self.alignments.entry(alignment.group.clone()).or_default();
                Some(Aligned::join(group, alignment))
            }
            _ => None,
        };
        let mut marks = SplitWatermarks::new(idle_timeout, bounded);
        let now = Instant::now();
        own.iter().for_each(|split| marks.add(split.clone(), now));
        let source = SourceHead {
            id: Arc::clone(&node.id),
            reader,
            columns,
            event_time,
            marks,
            aligned,
            board: Arc::clone(board),
            task: subtask,
            metrics: self.metrics.add_task(index),
            source_metrics: self.metrics.add_source_task(index),
            looked: now,
            phase: Phase::Reading,
            restored: watermarks,
            snapshots: HashMap::new(),
        };
        Ok(Head::Source { source, next: self.fan(index, subtask)? })
    }
}
