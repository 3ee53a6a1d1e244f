//! A test while it is edited: everything as text.

use leptos::prelude::*;
use millrace_wire::ids::JobTestId;
use millrace_wire::job_test::{ExpectedSink, JobTest, RowOrder, TestDraft, TestInput, TestResult};
use millrace_wire::test_run::{ResultView, TestRun};

use super::{Subject, lines};
use crate::i18n::testing as text;

#[derive(Clone, Copy)]
pub struct TestForm {
    /// Of a test that is saved.
    pub(super) id: RwSignal<Option<JobTestId>>,
    pub(super) name: RwSignal<String>,
    pub(super) inputs: RwSignal<Vec<InputForm>>,
    pub(super) expected: RwSignal<Vec<ExpectedForm>>,
    parallelism: RwSignal<u32>,
    /// The number of the next part, so that parts keep their fields while others come and go.
    next: StoredValue<u32>,
    owner: StoredValue<Owner>,
}

#[derive(Clone, Copy)]
pub(super) struct InputForm {
    pub(super) number: u32,
    pub(super) table: RwSignal<String>,
    pub(super) rows: RwSignal<String>,
    /// Columns to be masked.
    pub(super) mask: RwSignal<String>,
}

#[derive(Clone, Copy)]
pub(super) struct ExpectedForm {
    pub(super) number: u32,
    pub(super) table: RwSignal<String>,
    pub(super) view: RwSignal<String>,
    pub(super) order: RwSignal<String>,
    pub(super) tolerance: RwSignal<String>,
    pub(super) ignore: RwSignal<String>,
    pub(super) rows: RwSignal<String>,
}

impl TestForm {
    pub fn empty() -> TestForm {
        TestForm {
            id: RwSignal::new(None),
            name: RwSignal::new(String::new()),
            inputs: RwSignal::new(Vec::new()),
            expected: RwSignal::new(Vec::new()),
            parallelism: RwSignal::new(1),
            next: StoredValue::new(0),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    fn number(&self) -> u32 {
        self.next
            .try_update_value(|next| {
                *next += 1;
                *next
            })
            .unwrap_or_default()
    }

    fn clear(&self) {
        self.id.set(None);
        self.name.set(String::new());
        self.inputs.set(Vec::new());
        self.expected.set(Vec::new());
        self.parallelism.set(1);
    }

    /// A new test over what the script reads and writes.
    pub(super) fn begin(&self, subject: Subject) {
        self.clear();
        subject.reads.get_untracked().iter().for_each(|table| self.add_input(table, String::new()));
        subject.writes.get_untracked().iter().for_each(|table| self.add_expected(table));
    }

    pub(super) fn of_test(&self, test: &JobTest) {
        self.clear();
        self.id.set(Some(test.id));
        self.name.set(test.draft.name.clone());
        self.parallelism.set(test.draft.parallelism);
        test.draft.inputs.iter().for_each(|input| self.add_input(&input.table, lines::write(&input.rows)));
        for sink in &test.draft.expected {
            self.add_expected(&sink.table);
            let Some(form) = self.expected.with_untracked(|all| all.last().copied()) else { continue };
            form.view.set(sink.view.as_str().to_owned());
            form.order.set(sink.order.as_str().to_owned());
            form.tolerance.set(sink.float_tolerance.to_string());
            form.ignore.set(sink.ignore.join(", "));
            form.rows.set(lines::write(&sink.rows));
        }
    }

    /// Its input, and what it wrote as tables to expect something of.
    pub fn of_test_run(&self, run: &TestRun) {
        self.clear();
        run.inputs.iter().for_each(|(table, rows)| self.add_input(table, lines::write(rows)));
        run.summary.sinks.iter().for_each(|sink| self.add_expected(&sink.table));
    }

    /// Makes fields that live as long as this form: whoever asks for them may be a row that is drawn anew.
    fn owned<T>(&self, make: impl FnOnce() -> T) -> T {
        let owner = self.owner.try_get_value().unwrap_or_default();
        owner.with(make)
    }

    pub(super) fn add_input(&self, table: &str, rows: String) {
        let number = self.number();
        let form = self.owned(|| InputForm {
            number,
            table: RwSignal::new(table.to_owned()),
            rows: RwSignal::new(rows),
            mask: RwSignal::new(String::new()),
        });
        self.inputs.update(|all| all.push(form));
    }

    pub(super) fn add_expected(&self, table: &str) {
        let number = self.number();
        let form = self.owned(|| ExpectedForm {
            number,
            table: RwSignal::new(table.to_owned()),
            view: RwSignal::new(ResultView::State.as_str().to_owned()),
            order: RwSignal::new(RowOrder::Any.as_str().to_owned()),
            tolerance: RwSignal::new("0".to_owned()),
            ignore: RwSignal::new(String::new()),
            rows: RwSignal::new(String::new()),
        });
        self.expected.update(|all| all.push(form));
    }

    pub(super) fn draft(&self) -> Result<TestDraft, String> {
        let rows = |table: &str, rows: RwSignal<String>| {
            rows.with_untracked(|rows| lines::parse(rows)).map_err(|line| text::bad_rows(table, line))
        };
        let mut inputs = Vec::new();
        for form in self.inputs.get_untracked() {
            let table = form.table.get_untracked().trim().to_owned();
            inputs.push(TestInput { rows: rows(&table, form.rows)?, table });
        }
        let mut expected = Vec::new();
        for form in self.expected.get_untracked() {
            let table = form.table.get_untracked().trim().to_owned();
            let tolerance = form.tolerance.with_untracked(|text| text.trim().parse::<f64>());
            expected.push(ExpectedSink {
                view: form.view.with_untracked(|word| word.parse()).unwrap_or(ResultView::State),
                order: form.order.with_untracked(|word| word.parse()).unwrap_or(RowOrder::Any),
                float_tolerance: tolerance.map_err(|_| text::bad_tolerance().to_owned())?,
                ignore: names(&form.ignore.get_untracked()),
                rows: rows(&table, form.rows)?,
                table,
            });
        }
        let (name, parallelism) = (self.name.get_untracked().trim().to_owned(), self.parallelism.get_untracked());
        Ok(TestDraft { name, inputs, expected, parallelism })
    }

    /// What came out becomes what is expected.
    pub(super) fn take_actual(&self, result: &TestResult) {
        for form in self.expected.get_untracked() {
            let table = form.table.get_untracked();
            if let Some(sink) = result.sinks.iter().find(|sink| sink.table == table.trim()) {
                form.rows.set(lines::of_result(&sink.columns, &sink.actual));
            }
        }
    }
}

/// Names with commas between.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
