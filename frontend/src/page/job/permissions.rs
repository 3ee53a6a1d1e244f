//! Who may what with the job.

use leptos::prelude::*;
use millrace_wire::access::ObjectKind;

use super::context::use_job;
use crate::widget::permissions::PermissionsView;

#[component]
pub(super) fn Permissions() -> impl IntoView {
    let context = use_job();
    let name = Signal::derive(move || context.job.with(|job| job.name.clone()).unwrap_or_default());
    view! { <div class="page"><PermissionsView kind=ObjectKind::Job path=context.own_path() name/></div> }.into_any()
}
