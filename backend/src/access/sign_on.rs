//! Sign-in at a provider of OpenID Connect: the authorization code flow with PKCE, by the library. Which of our users
//! somebody is, is decided in `app::sign_on`.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndUserEmail, EndUserName, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, LocalizedClaim, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use tokio::sync::Mutex;

use crate::config::Provider;
use crate::error::{Error, Result};

/// The provider's addresses and keys are asked for again after this time, since keys change.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);
const PATIENCE: Duration = Duration::from_secs(10);

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

pub struct SignOn {
    provider: Provider,
    /// Where the provider sends people back to.
    back: String,
    http: reqwest::Client,
    known: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

/// A sign-in on its way: the browser goes to `url`, the rest is kept until it is back.
pub struct Begun {
    pub url: String,
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

/// Who the provider says somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    /// Only when the provider has verified it.
    pub email: Option<String>,
    pub name: Option<String>,
}

/// An address that nobody has verified may be anybody's.
fn verified(email: Option<&EndUserEmail>, is_verified: Option<bool>) -> Option<String> {
    email.filter(|_| is_verified == Some(true)).map(|email| email.as_str().to_owned())
}

fn in_any_language(name: Option<&LocalizedClaim<EndUserName>>) -> Option<String> {
    name.and_then(|name| name.get(None)).map(|name| name.as_str().to_owned())
}

impl SignOn {
    pub fn new(provider: Provider, back: String) -> Result<SignOn> {
        // Redirects are not followed: the provider's document must not lead the server elsewhere.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(Error::internal)?;
        Ok(SignOn { provider, back, http, known: Mutex::default() })
    }

    /// How the button on the sign-in page calls the provider.
    pub fn name(&self) -> &str {
        &self.provider.name
    }

    pub fn creates_users(&self) -> bool {
        self.provider.creates_users
    }

    pub async fn begin(&self) -> Result<Begun> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun {
            url: url.to_string(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Exchanges the code that came back and checks what the provider signed.
    pub async fn finish(&self, code: String, nonce: String, verifier: String) -> Result<Person> {
        let client = self.client().await?;
        self.exchange(&client, code, nonce, verifier).await.map_err(|cause| {
            Error::external(format!("{} did not confirm this sign-in.", self.provider.name))
                .hint("Try again. If it happens again, the server's log says what was wrong.")
                .because(cause)
        })
    }

    async fn exchange(&self, client: &Client, code: String, nonce: String, verifier: String) -> anyhow::Result<Person> {
        let request = client.exchange_code(AuthorizationCode::new(code))?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let answer = request.request_async(&self.http).await.context("the code was not exchanged")?;
        let token = answer.id_token().context("the answer holds no id token")?;
        let check = client.id_token_verifier();
        let claims = token.claims(&check, &Nonce::new(nonce)).context("the id token is not valid")?;
        if let Some(expected) = claims.access_token_hash() {
            let signed = (token.signing_alg()?, token.signing_key(&check)?);
            let actual = AccessTokenHash::from_token(answer.access_token(), signed.0, signed.1)?;
            anyhow::ensure!(actual == *expected, "the access token is not the one that was signed");
        }
        let (issuer, subject) = (claims.issuer().as_str().to_owned(), claims.subject().as_str().to_owned());
        if claims.email().is_some() {
            let email = verified(claims.email(), claims.email_verified());
            return Ok(Person { issuer, subject, email, name: in_any_language(claims.name()) });
        }
        // With a code, the standard has providers tell e-mail address and name there.
        let request = client.user_info(answer.access_token().clone(), Some(claims.subject().clone()))?;
        let told: CoreUserInfoClaims = request.request_async(&self.http).await.context("who it is was not told")?;
        let email = verified(told.email(), told.email_verified());
        Ok(Person { issuer, subject, email, name: in_any_language(told.name()) })
    }

    async fn client(&self) -> Result<Client> {
        let metadata = self.metadata().await?;
        let id = ClientId::new(self.provider.client_id.clone());
        let secret = self.provider.client_secret.clone().map(ClientSecret::new);
        let back = RedirectUrl::new(self.back.clone()).map_err(Error::internal)?;
        Ok(CoreClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(back))
    }

    async fn metadata(&self) -> Result<CoreProviderMetadata> {
        let mut known = self.known.lock().await;
        if let Some((at, metadata)) = known.as_ref()
            && at.elapsed() < REMEMBERED
        {
            return Ok(metadata.clone());
        }
        let issuer = IssuerUrl::new(self.provider.issuer.clone()).map_err(Error::internal)?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http).await.map_err(|cause| {
            Error::external(format!("{} cannot be reached.", self.provider.name)).because(anyhow::Error::new(cause))
        })?;
        *known = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }
}
