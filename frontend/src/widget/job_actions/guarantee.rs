//! What delivery a job promises, and why.

use leptos::prelude::*;
use millrace_wire::graph::{DeliveryGuarantee, Guarantee};

use crate::i18n::job_actions as text;

pub fn guarantee_word(level: DeliveryGuarantee) -> &'static str {
    match level {
        DeliveryGuarantee::ExactlyOnce => text::exactly_once(),
        DeliveryGuarantee::AtLeastOnce => text::at_least_once(),
        DeliveryGuarantee::BestEffort => text::best_effort(),
    }
}

#[component]
pub fn GuaranteeNote(guarantee: Guarantee) -> impl IntoView {
    let class = match guarantee.level {
        DeliveryGuarantee::ExactlyOnce => "good medium",
        DeliveryGuarantee::AtLeastOnce => "medium",
        DeliveryGuarantee::BestEffort => "warn medium",
    };
    view! { <span class=class>{guarantee_word(guarantee.level)}</span>": "{guarantee.reason} }.into_any()
}
