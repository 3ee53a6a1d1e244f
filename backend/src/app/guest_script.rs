//! What somebody from outside of a team may write into a job that was opened to them: the team's variables are not theirs.

use std::collections::BTreeSet;

use millrace_wire::ids::TeamId;

use crate::error::{Error, Result};
use crate::parameter::{self, What};
use crate::state::App;
use crate::store;

/// Refuses a script that names variables which the one before did not, for their values would come out in its rows; and
/// any change of a script that uses secrets, for it could send them elsewhere. Tells of no variable that is not named.
pub(super) async fn check(app: &App, team: TeamId, before: &str, after: &str) -> Result<()> {
    let (had, names) = (names_in(before), names_in(after));
    if let Some(new) = names.difference(&had).next() {
        let message = format!("Only members of the team may bring variables into a script: ${{{new}}}.");
        return Err(Error::field("sql", message).hint("Ask a member to do it, or write the value itself."));
    }
    let secrets = store::variable::list(&app.store, team).await?;
    match secrets.iter().find(|row| row.secret && names.contains(&row.name)) {
        Some(secret) => {
            let message =
                format!("The script uses the secret ${{{}}}: only members of the team may change it.", secret.name);
            Err(Error::field("sql", message))
        }
        None => Ok(()),
    }
}

fn names_in(sql: &str) -> BTreeSet<String> {
    let name = |what| match what {
        What::Parameter { name, .. } => Some(name),
        What::Escape => None,
    };
    parameter::find(sql).into_iter().filter_map(|found| name(found.what)).collect()
}
