//! Larger parts that know the product's values, each used on several pages.

pub mod approval;
pub mod chart;
pub mod dag;
pub mod data_grid;
pub mod deployment;
pub mod event_mark;
pub mod job_actions;
pub mod job_settings;
pub mod job_state;
pub mod log_view;
pub mod member_dialog;
pub mod new_team;
pub mod own_functions;
pub mod permissions;
pub mod restorable;
pub mod schema_change;
pub mod schema_form;
pub mod sql_diff;
pub mod sql_editor;
pub mod test_result;
pub mod testing;
