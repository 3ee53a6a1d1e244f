//! Starting and stopping a job, the same everywhere: the dialogs, and why something cannot be done now.

mod allowed;
mod approval;
mod guarantee;
mod start_dialog;
mod stop_dialog;

pub use allowed::{delete_refusal, savepoint_refusal, start_refusal, stop_refusal};
pub use guarantee::{GuaranteeNote, guarantee_word};
pub use start_dialog::{StartDialog, Target};
pub use stop_dialog::StopDialog;
