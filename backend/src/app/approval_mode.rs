//! Whether a team asks for an approval of starts. Owners decide, and all who may approve are told.

use millrace_wire::approval::{ApprovalMode, ApprovalSetting, SetApprovalMode};
use millrace_wire::ids::TeamId;
use millrace_wire::team::Role;

use super::notice::Letterhead;
use crate::access::identity::TeamCaller;
use crate::clock::now_ms;
use crate::error::Result;
use crate::state::App;
use crate::store;
use crate::store::notice::NewNotice;
use crate::transact;

pub async fn get(app: &App, team: TeamId) -> Result<ApprovalSetting> {
    store::approval::setting(&app.store, team).await
}

/// Before and after, for the audit trail.
pub struct Changed {
    pub before: ApprovalSetting,
    pub after: ApprovalSetting,
}

/// Switching it off is the way around it for owners: it is not done quietly.
pub async fn set(app: &App, caller: &TeamCaller, request: SetApprovalMode) -> Result<Changed> {
    let before = get(app, caller.team).await?;
    if before.mode == request.mode {
        return Ok(Changed { after: before.clone(), before });
    }
    let (letterhead, now) = (Letterhead::of(app), now_ms());
    let (who, team) = (&caller.caller.name, &caller.slug);
    let title = match request.mode {
        ApprovalMode::Required => format!("{who} decided: starts in {team} need approval"),
        ApprovalMode::Off => format!("{who} decided: starts in {team} need no approval any more"),
    };
    let notice = NewNotice { title, body: String::new(), href: format!("/t/{team}/access") };
    let members = store::team::members(&app.store, caller.team).await?;
    let deciders = members.iter().filter(|member| member.role >= Role::Operator && member.user != caller.caller.user);
    let deciders: Vec<_> = deciders.map(|member| member.user).collect();
    transact!(app.store, tx => {
        store::approval::set_mode(tx, caller.team, request.mode, &caller.caller.name, now).await?;
        for user in &deciders {
            letterhead.tell(tx, *user, &notice, now).await?;
        }
        Ok(())
    })?;
    app.live.rights_changed(caller.team);
    Ok(Changed { before, after: get(app, caller.team).await? })
}
