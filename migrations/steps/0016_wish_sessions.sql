-- The version of the account's sessions (revocation) when its change was asked for: a higher one ends the wish.
ALTER TABLE confirmation ADD COLUMN sessions bigint NOT NULL DEFAULT 0
    CONSTRAINT confirmation_sessions_bound CHECK (sessions BETWEEN 0 AND 4611686018427387904);
