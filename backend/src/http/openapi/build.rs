//! From rows to a document.

use millrace_wire::error::ApiError;
use millrace_wire::organisation::OrganisationRole;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, Ref, Schema, SchemaFormat, Type,
};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Required, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::access::policy::{self, Who};

const ABOUT: &str = "Everything the console does. Errors of every call are an ApiError. What is read as JSON has an ETag: \
    with If-None-Match a GET answers 304 while nothing changed, and with If-Match a PUT, PATCH or DELETE of something that \
    can be read at the same address answers 412 once somebody else changed it.";

type Schemas = Vec<(String, RefOr<Schema>)>;

/// What a call answers when all is well.
enum Answer {
    Nothing(&'static str),
    Json(RefOr<Schema>),
    /// Server-sent events; each one's data is this.
    Events(RefOr<Schema>),
    /// A file, of one of these media types.
    File(&'static [&'static str]),
}

/// One route.
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    pub summary: &'static str,
    query: &'static [&'static str],
    request: Option<RefOr<Schema>>,
    /// The body is a WebAssembly module.
    module: bool,
    answer: Answer,
    schemas: Schemas,
}

pub(super) fn on(method: &'static str, path: &'static str, summary: &'static str) -> Operation {
    let answer = Answer::Nothing("204");
    Operation { method, path, summary, query: &[], request: None, module: false, answer, schemas: Vec::new() }
}

impl Operation {
    pub(super) fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    pub(super) fn takes<T: ToSchema>(mut self) -> Self {
        self.request = Some(self.reference::<T>());
        self
    }

    /// The bytes of a file as the body.
    pub(super) fn takes_module(mut self) -> Self {
        self.module = true;
        self
    }

    pub(super) fn gives<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Json(self.reference::<T>());
        self
    }

    /// A page of a list, with the usual query.
    pub(super) fn lists<T: ToSchema>(mut self) -> Self {
        let items = ArrayBuilder::new().items(self.reference::<T>());
        let page = ObjectBuilder::new()
            .property("items", items)
            .required("items")
            .property("next", string())
            .property("total", ObjectBuilder::new().schema_type(Type::Integer))
            .required("total");
        self.answer = Answer::Json(RefOr::T(Schema::Object(page.build())));
        if self.query.is_empty() {
            self.query = &["cursor", "limit", "q"];
        }
        self
    }

    pub(super) fn gives_file(mut self, media_types: &'static [&'static str]) -> Self {
        self.answer = Answer::File(media_types);
        self
    }

    pub(super) fn streams<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Events(self.reference::<T>());
        self
    }

    /// Another success than 204, without content.
    pub(super) fn answers(mut self, status: &'static str) -> Self {
        self.answer = Answer::Nothing(status);
        self
    }

    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        collect::<T>(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }
}

fn collect<T: ToSchema>(schemas: &mut Schemas) {
    schemas.push((T::name().into_owned(), <T as PartialSchema>::schema()));
    T::schemas(schemas);
}

fn string() -> Schema {
    Schema::Object(ObjectBuilder::new().schema_type(Type::String).build())
}

pub(super) fn document(operations: &[Operation]) -> OpenApi {
    let mut schemas = Schemas::new();
    collect::<ApiError>(&mut schemas);
    let mut paths = PathsBuilder::new().build();
    for operation in operations {
        schemas.extend(operation.schemas.iter().cloned());
        let methods = vec![method(operation.method)];
        paths.add_path_operation(format!("/api/v1{}", operation.path), methods, describe(operation));
    }
    schemas.sort_by(|left, right| left.0.cmp(&right.0));
    schemas.dedup_by(|left, right| left.0 == right.0);

    let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("millrace")));
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("session", session)
        .security_scheme("token", token)
        .build();
    let info = InfoBuilder::new().title("Millrace").version(env!("CARGO_PKG_VERSION")).description(Some(ABOUT)).build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

fn method(name: &str) -> HttpMethod {
    match name {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn describe(operation: &Operation) -> utoipa::openapi::path::Operation {
    let who = policy::rule_for(operation.method, operation.path).map_or(Who::Nobody, |rule| rule.who);
    let mut built = OperationBuilder::new()
        .operation_id(Some(operation_id(operation)))
        .tag(tag(operation.path))
        .summary(Some(operation.summary))
        .description(Some(who_in_words(who)));
    for name in path_parameters(operation.path) {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
        built = built.parameter(parameter.required(Required::True).schema(Some(string())));
    }
    for name in operation.query {
        let parameter = ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Query);
        built = built.parameter(parameter.required(Required::False).schema(Some(string())));
    }
    if operation.module {
        let binary =
            ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        let content = ContentBuilder::new().schema(Some(RefOr::T(Schema::Object(binary.build())))).build();
        let body = RequestBodyBuilder::new().required(Some(Required::True)).content("application/wasm", content);
        built = built.request_body(Some(body.build()));
    }
    if let Some(request) = &operation.request {
        let content = ContentBuilder::new().schema(Some(request.clone())).build();
        let body = RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", content);
        built = built.request_body(Some(body.build()));
    }
    let content = |schema: &RefOr<Schema>| ContentBuilder::new().schema(Some(schema.clone())).build();
    let (status, good) = match &operation.answer {
        Answer::Nothing(status) => (*status, ResponseBuilder::new().description("Done.")),
        Answer::Json(schema) => {
            ("200", ResponseBuilder::new().description("Done.").content("application/json", content(schema)))
        }
        Answer::Events(schema) => {
            ("200", ResponseBuilder::new().description("Events.").content("text/event-stream", content(schema)))
        }
        Answer::File(media_types) => {
            let text = content(&RefOr::T(string()));
            let described = ResponseBuilder::new().description("A file.");
            ("200", media_types.iter().fold(described, |described, name| described.content(*name, text.clone())))
        }
    };
    let problem = RefOr::Ref(Ref::from_schema_name(ApiError::name()));
    let bad = ResponseBuilder::new().description("Refused or failed.").content("application/json", content(&problem));
    built = built.response(status, good.build()).response("default", bad.build());
    if operation.method == "GET" && matches!(operation.answer, Answer::Json(_)) {
        built = built
            .response("304", ResponseBuilder::new().description("As the caller knows it by If-None-Match.").build());
    }
    if matches!(
        who,
        Who::SignedIn | Who::Organisation(OrganisationRole::Member) | Who::Team(_) | Who::Job(..) | Who::Table(..)
    ) {
        built = built.security(requirement("session")).security(requirement("token"));
    } else if matches!(who, Who::InPerson | Who::Administrator | Who::Organisation(OrganisationRole::Owner)) {
        built = built.security(requirement("session"));
    }
    built.build()
}

fn requirement(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, Vec::<String>::new())
}

/// `post_teams_team_tables`
fn operation_id(operation: &Operation) -> String {
    let words = operation.path.split(['/', '.', '-']).map(|part| part.trim_matches(['{', '}']));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("{}_{}", operation.method.to_lowercase(), words.join("_"))
}

/// The resource: what comes after the team, or the first word.
fn tag(path: &str) -> &str {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    match (parts.next(), parts.next(), parts.next()) {
        (Some("teams"), Some(_), Some(resource)) => resource,
        (Some(first), _, _) => first.trim_end_matches(".json"),
        _ => "server",
    }
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn who_in_words(who: Who) -> String {
    match who {
        Who::Public => "Open to everybody.".to_owned(),
        Who::SignedIn => "For anybody who is signed in.".to_owned(),
        Who::InPerson => "For anybody who is signed in by a browser session.".to_owned(),
        Who::Administrator => "For administrators of the server, by a browser session.".to_owned(),
        Who::Organisation(OrganisationRole::Member) => "For whoever belongs to the organisation.".to_owned(),
        Who::Organisation(OrganisationRole::Owner) => {
            "For owners of the organisation and administrators of the server, by a browser session.".to_owned()
        }
        Who::Team(role) => format!("For members of the team with the role {role} or a higher one."),
        Who::Job(level, role) | Who::Table(level, role) => format!(
            "For members of the team with the role {role} or a higher one, unless the object is restricted; and for \
             whoever has a grant of the level '{level}' or a higher one."
        ),
        Who::Machine => "For callers on the machine of the server itself.".to_owned(),
        Who::Server => "For other servers of the installation.".to_owned(),
        Who::Worker => "For workers, with their token.".to_owned(),
        Who::Nobody => "For nobody.".to_owned(),
    }
}
