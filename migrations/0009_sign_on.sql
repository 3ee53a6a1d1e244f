-- People who sign in at a provider of OpenID Connect.

-- Who a user is there. The subject never changes; e-mail addresses do.
CREATE TABLE user_identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX user_identities_by_user ON user_identities (user_id);

-- Sign-ins that were sent to the provider and are not back yet; each counts once.
CREATE TABLE sign_on_attempts (
    -- SHA-256 of the state in hex.
    state_hash TEXT PRIMARY KEY,
    -- SHA-256 of a cookie: only the browser that began may end it.
    browser_hash TEXT NOT NULL,
    nonce TEXT NOT NULL,
    -- Sealed (access::secret).
    verifier TEXT NOT NULL,
    -- Path of the console to come back to.
    next_path TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_on_attempts_by_expiry ON sign_on_attempts (expires_at);
