//! The primitives of the design system, one per file. They know tokens, text and numbers, but nothing of jobs, tables
//! or the server; the sheets of the same names are in `frontend/style/ui`.

pub mod id;

pub mod icon;
pub mod logo;

pub mod button;
pub mod copy_button;
pub mod link_button;
pub mod menu;
pub mod segmented;
pub mod switch;

pub mod check_field;
pub mod field;
mod field_error;
pub mod search_field;
pub mod select_field;
pub mod text_area;
pub mod text_field;

pub mod badge;
pub mod state_badge;

pub mod age;
pub mod figure;
pub mod spark;

pub mod callout;
pub mod confirm;
pub mod dialog;
pub mod empty_state;
pub mod failure;
pub mod skeleton;
pub mod toast;

pub mod breadcrumb;
pub mod code_block;
pub mod cut;
pub mod facts;
pub mod order;
pub mod page_head;
pub mod panel;
pub mod steps;
pub mod table;
pub mod tabs;
