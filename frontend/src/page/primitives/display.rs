//! What is shown.

use leptos::prelude::*;

use crate::clock::now;
use crate::ui::age::Ago;
use crate::ui::badge::{Badge, Tone};
use crate::ui::callout::{Callout, Notice};
use crate::ui::code_block::CodeBlock;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::figure::Figure;
use crate::ui::icon::Icon;
use crate::ui::skeleton::{Shape, Skeleton};
use crate::ui::spark::Spark;
use crate::ui::state_badge::StateBadge;

const STATES: [&str; 10] =
    ["draft", "pending", "starting", "running", "recovering", "stopping", "stopped", "finished", "failed", "stale"];

pub(super) fn states() -> AnyView {
    let at = now() - 11_000;
    view! {
        <div class="specimen">
            {STATES.iter().map(|state| view! { <StateBadge state=(*state).to_owned() at=at/> }).collect_view()}
            <StateBadge state="failed".to_owned() at=at wanted="running".to_owned()/>
        </div>
        <div class="specimen">
            {STATES.iter().map(|state| view! { <StateBadge state=(*state).to_owned() at=at pill=true/> }).collect_view()}
        </div>
    }
    .into_any()
}

pub(super) fn badges() -> AnyView {
    view! {
        <div class="specimen">
            <Badge>"plain"</Badge>
            <Badge tone=Tone::Accent>"accent"</Badge>
            <Badge tone=Tone::Good>"good"</Badge>
            <Badge tone=Tone::Warn>"warning"</Badge>
            <Badge tone=Tone::Bad>"critical"</Badge>
            <Badge tone=Tone::Change>"v7"</Badge>
            <Badge icon=Icon::Key>"key"</Badge>
        </div>
    }
    .into_any()
}

pub(super) fn notices() -> AnyView {
    view! {
        <div class="specimen-grid">
            <Callout notice=Notice::Info title="Draft differs from running v7"><p>"The job runs what was saved on 12 Nov."</p></Callout>
            <Callout notice=Notice::Warn title="Lag 48 s and growing"><p>"The look-up is 98 % busy."</p></Callout>
            <Callout notice=Notice::Bad title="Cannot decode offset 88,120,441"><p>"The job waits; nothing is lost."</p></Callout>
            <FailureNote failure=crate::api::Failure::unreachable()/>
        </div>
    }
    .into_any()
}

pub(super) fn absence() -> AnyView {
    view! {
        <div class="specimen-grid">
            <EmptyState icon=Icon::Tables title="No table yet" body="A table describes a stream that lives elsewhere."/>
            <EmptyState icon=Icon::Search title="Nothing matches" body="Try fewer words or clear the filter."/>
            <Skeleton shape=Shape::Rows(4)/>
            <Skeleton shape=Shape::Lines(4)/>
        </div>
    }
    .into_any()
}

pub(super) fn figures() -> AnyView {
    let unknown: Option<f64> = None;
    let values = Signal::derive(|| (0..26).map(|step| f64::from(step % 9) + f64::from(step) / 3.0).collect::<Vec<_>>());
    view! {
        <div class="specimen">
            <Figure value=Some(184_600.0)/>
            <Figure value=Some(0.0)/>
            <Figure value=unknown/>
            <Ago at=now() - 240_000/>
            <Spark values/>
        </div>
    }
    .into_any()
}

pub(super) fn code() -> AnyView {
    const SQL: &str = "-- clicks per city\nCREATE TABLE `dw`.`clicks` (\n  city STRING,\n  n BIGINT,\n  ts TIMESTAMP(3),\n  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND\n) WITH ('connector' = 'kafka');";
    view! { <div class="table-ddl"><CodeBlock label="Example" text=SQL.to_owned()/></div> }.into_any()
}

pub(super) fn icons() -> AnyView {
    view! {
        <div class="specimen">
            {Icon::ALL.iter().map(|icon| view! { <span class="row small subtle specimen-icon">{icon.view()}{icon.word()}</span> }).collect_view()}
        </div>
    }
    .into_any()
}
