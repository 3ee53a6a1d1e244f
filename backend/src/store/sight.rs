//! The one condition by which queries leave out what somebody may not see.

use crate::access::sight::Sight;

use super::Query;

/// The condition for the alias of a table with `id`, `restricted` and `owner_id`, and the column of `grants` that names
/// it; a third name where its own is not `id`. `$1` to `$5` are those of [`with_sight`]; `$1`, the team, is for the query itself.
macro_rules! visible {
    ($object:literal, $column:literal) => {
        $crate::store::sight::visible!($object, $column, "id")
    };
    ($object:literal, $column:literal, $id:literal) => {
        concat!(
            "($2 = 'all' OR ($2 = 'member' AND (",
            $object,
            ".restricted = 0 OR ",
            $object,
            ".owner_id = $3)) OR EXISTS (SELECT 1 FROM grants g WHERE g.",
            $column,
            " = ",
            $object,
            ".",
            $id,
            " AND (g.user_id = $3 OR g.team_id IN (SELECT m.team_id FROM members m WHERE m.user_id = $4 \
             AND ($5 = '' OR m.team_id = $5)))))"
        )
    };
}

/// Binds `$1` to `$5`.
pub(super) fn with_sight<'q>(query: Query<'q>, sight: &Sight) -> Query<'q> {
    sight_values(sight).into_iter().fold(query, Query::bind)
}

/// The values of `$1` to `$5`.
pub(super) fn sight_values(sight: &Sight) -> [String; 5] {
    // Nobody has an empty id: it finds nothing.
    let text = |id: Option<String>| id.unwrap_or_default();
    [
        sight.team.to_string(),
        sight.reach().to_owned(),
        text(sight.in_person().map(|user| user.to_string())),
        text(sight.user().map(|user| user.to_string())),
        text(sight.token_team().map(|team| team.to_string())),
    ]
}

pub(super) use visible;
