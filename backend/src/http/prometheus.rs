//! `/metrics` for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::access::sight::Sight;
use crate::error::Result;
use crate::metric::prometheus::{Exposed, text};
use crate::state::App;
use crate::store;

pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Response> {
    let mut exposed = Vec::new();
    for (team, slug) in store::team::slugs(&app.store).await? {
        for (job, name, state) in store::job_list::states(&app.store, &Sight::platform(team)).await? {
            let live = state.is_some_and(|state| !state.is_terminal());
            let figures = app.metrics.figures(job).filter(|_| live);
            exposed.push(Exposed { team: slug.clone(), job: name, state, figures });
        }
    }
    let mirror = app.mirror.counts();
    let own = format!(
        "# HELP millrace_mirror_lines_total Lines handed to the platform's own topics.\n\
         # TYPE millrace_mirror_lines_total counter\n\
         millrace_mirror_lines_total{{outcome=\"sent\"}} {}\nmillrace_mirror_lines_total{{outcome=\"lost\"}} {}\n",
        mirror.sent, mirror.lost
    );
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, text(&exposed) + &own).into_response())
}
