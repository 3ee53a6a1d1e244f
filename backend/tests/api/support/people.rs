//! A team with one member of each role, and people who are not in it.

use millrace_backend::access::secret::{hash_token, random_token};
use millrace_backend::app::{organisation, team};
use millrace_backend::clock;
use millrace_backend::error::Result;
use millrace_backend::state::App;
use millrace_backend::store;
use millrace_backend::store::user::UserRow;
use millrace_backend::transact;
use millrace_wire::ids::{OrganisationId, TeamId, TokenId, UserId};
use millrace_wire::organisation::{Organisation, OrganisationRef, OrganisationRole};
use millrace_wire::team::{Role, Team};
use millrace_wire::token::ApiToken;

/// How a call proves who it comes from.
#[derive(Clone, Debug)]
pub(crate) enum As {
    Nobody,
    Session(String),
    Token(String),
}

pub(crate) struct People {
    pub(crate) slug: String,
    pub(crate) team: TeamId,
    pub(crate) viewer: As,
    pub(crate) developer: As,
    pub(crate) operator: As,
    pub(crate) owner: As,
    /// The owner's token for the team.
    pub(crate) owner_token: As,
    pub(crate) owner_id: UserId,
    pub(crate) viewer_id: UserId,
    pub(crate) developer_id: UserId,
    pub(crate) operator_id: UserId,
    /// Owns another team.
    pub(crate) outsider: As,
    pub(crate) outsider_id: UserId,
    pub(crate) outsider_token: As,
    pub(crate) other_slug: String,
    pub(crate) other_team: TeamId,
    /// Administrator of the server, in no team.
    pub(crate) administrator: As,
    pub(crate) administrator_id: UserId,
}

impl People {
    pub(crate) async fn settle(app: &App) -> People {
        let unique = clock::new_id().simple().to_string();
        let (slug, other_slug) = (format!("t{}", &unique[20..]), format!("o{}", &unique[20..]));
        let team = make_team(app, &slug).await;
        let other = make_team(app, &other_slug).await;
        let member = async |role: Role| {
            let user = make_user(app, false).await;
            join(app, team, user, role).await;
            user
        };
        let (viewer, developer) = (member(Role::Viewer).await, member(Role::Developer).await);
        let (operator, owner) = (member(Role::Operator).await, member(Role::Owner).await);
        let outsider = make_user(app, false).await;
        join(app, other, outsider, Role::Owner).await;
        let administrator = make_user(app, true).await;
        People {
            viewer: session(app, viewer).await,
            developer: session(app, developer).await,
            operator: session(app, operator).await,
            owner: session(app, owner).await,
            owner_token: token(app, owner, team).await,
            owner_id: owner,
            viewer_id: viewer,
            developer_id: developer,
            operator_id: operator,
            outsider_id: outsider,
            outsider_token: token(app, outsider, other).await,
            other_team: other,
            administrator_id: administrator,
            outsider: session(app, outsider).await,
            administrator: session(app, administrator).await,
            slug,
            other_slug,
            team,
        }
    }

    /// One more owner, who makes what nobody of the others owns.
    pub(crate) async fn maker(&self, app: &App) -> As {
        let user = make_user(app, false).await;
        join(app, self.team, user, Role::Owner).await;
        session(app, user).await
    }

    pub(crate) fn organisation_of(slug: &str) -> String {
        format!("{slug}-org")
    }

    /// One that the owner owns, with a team in it that the other members are in.
    pub(crate) async fn settle_organisation(&self, app: &App) {
        let slug = People::organisation_of(&self.slug);
        let team = make_organisation(app, &slug, self.owner_id).await;
        for (user, role) in
            [(self.viewer_id, Role::Viewer), (self.developer_id, Role::Developer), (self.operator_id, Role::Operator)]
        {
            join(app, team, user, role).await;
        }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/teams/{}{rest}", self.slug)
    }
}

pub(crate) async fn make_team(app: &App, slug: &str) -> TeamId {
    let made = team::new_team(slug, slug, clock::now_ms());
    transact!(app.store, tx => { team::insert_with_basics(tx, &made, "test").await }).unwrap();
    made.id
}

/// With one team in it, of the same short name; nobody is in that.
pub(crate) async fn make_organisation(app: &App, slug: &str, owner: UserId) -> TeamId {
    let now = clock::now_ms();
    let made = Organisation {
        id: OrganisationId(clock::new_id()),
        slug: slug.to_owned(),
        name: slug.to_owned(),
        teams: 0,
        created_at: now,
        role: OrganisationRole::Owner,
    };
    let organisation = OrganisationRef { slug: slug.to_owned(), name: slug.to_owned() };
    let team = Team { organisation, ..team::new_team(slug, slug, now) };
    let done: Result<()> = transact!(app.store, tx => {
        store::organisation::insert(tx, &made).await?;
        store::organisation_member::set(tx, made.id, owner, OrganisationRole::Owner, now).await?;
        team::insert_with_basics(tx, &team, "test").await
    });
    done.unwrap();
    team.id
}

/// In the organisation that every server has, and in no team.
pub(crate) async fn make_user(app: &App, administrator: bool) -> UserId {
    let (id, now) = (make_account(app, administrator).await, clock::now_ms());
    let done: Result<()> = transact!(app.store, tx => {
        store::organisation_member::join(tx, organisation::DEFAULT, id, now).await
    });
    done.unwrap();
    id
}

/// In no organisation.
pub(crate) async fn make_account(app: &App, administrator: bool) -> UserId {
    let id = UserId(clock::new_id());
    let user = UserRow {
        id,
        name: "Somebody".to_owned(),
        email: format!("{id}@example.org"),
        password_hash: String::new(),
        administrator,
        disabled: false,
        created_at: clock::now_ms(),
    };
    transact!(app.store, tx => { store::user::insert(tx, &user).await }).unwrap();
    id
}

pub(crate) async fn join(app: &App, team: TeamId, user: UserId, role: Role) {
    let now = clock::now_ms();
    let done: Result<()> = transact!(app.store, tx => { store::team::set_member(tx, team, user, role, now).await });
    done.unwrap();
}

pub(crate) async fn session(app: &App, user: UserId) -> As {
    let cookie = random_token();
    let (hash, now) = (hash_token(&cookie), clock::now_ms());
    transact!(app.store, tx => { store::session::insert(tx, &hash, user, now, now + 60_000).await }).unwrap();
    As::Session(cookie)
}

pub(crate) async fn token(app: &App, user: UserId, team: TeamId) -> As {
    let now = clock::now_ms();
    let id = TokenId(clock::new_id());
    let token = ApiToken {
        id,
        name: "t".to_owned(),
        team,
        scope: Role::Owner,
        created_at: now,
        expires_at: now + 60_000,
        last_used_at: None,
    };
    transact!(app.store, tx => { store::token::insert(tx, user, &token).await }).unwrap();
    As::Token(app.tokens.issue(user, id, team, now, now + 60_000).unwrap())
}
