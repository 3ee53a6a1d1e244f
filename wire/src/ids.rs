//! Typed ids: one type per resource over UUIDv7, so that mixing them does not compile.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = "uuid"))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map($name)
            }
        }
    )+};
}

ids! {
    UserId, OrganisationId, TeamId, TokenId,
    ConnectionId, DatabaseId, TableId, FunctionId,
    JobId, VersionId, RunId, SavepointId,
    PreviewId, WorkerId, FilterId,
    TestRunId, ShadowRunId, JobTestId,
    GrantId, RequestId, NoticeId, ApprovalId,
    VariableId, SnippetId, BadRecordId,
    SandboxTargetId, SandboxObjectId,
}
