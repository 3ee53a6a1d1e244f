//! What handlers take as arguments: the caller, the team, JSON bodies and queries whose problems are told in our shape.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::guard::ClientAddress;
use crate::access::identity::{Caller, OrganisationCaller, TeamCaller};
use crate::error::{Code, Error};
use millrace_wire::error::{ErrorDomain, Retry};

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(Error::not_signed_in)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TeamCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        // The guard put it there for every route below a team; without it the route's rule is wrong.
        parts.extensions.get::<TeamCaller>().cloned().ok_or_else(|| Error::not_found("team"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OrganisationCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<OrganisationCaller>().cloned().ok_or_else(|| Error::not_found("organisation"))
    }
}

/// A JSON body in, a JSON body out.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Json(value)),
            Err(rejection) => Err(json_problem(rejection)),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn json_problem(rejection: JsonRejection) -> Error {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Error::new(Code::TooLarge, ErrorDomain::User, Retry::AfterChange, "The request is too large.");
    }
    match rejection {
        JsonRejection::MissingJsonContentType(_) => {
            Error::bad_request("The body must be JSON with the header Content-Type: application/json.")
        }
        JsonRejection::JsonDataError(cause) => {
            Error::bad_request(format!("The body does not fit: {}.", cause.body_text()))
        }
        JsonRejection::JsonSyntaxError(cause) => {
            Error::bad_request(format!("The body is not valid JSON: {}.", cause.body_text()))
        }
        other => Error::bad_request("The body cannot be read.").because(other),
    }
}

/// Path parameters; what does not parse cannot exist.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Path(value)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => Err(Error::not_found("object")),
            Err(other) => Err(Error::internal(other)),
        }
    }
}

pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Query(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(cause)) => {
                Err(Error::bad_request(format!("The query does not fit: {}.", cause.body_text())))
            }
            Err(other) => Err(Error::internal(other)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let missing = || Error::internal(anyhow::anyhow!("a route without the guard asks for the client's address"));
        parts.extensions.get::<ClientAddress>().copied().ok_or_else(missing)
    }
}
