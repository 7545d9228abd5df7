ALTER TABLE account REPLICA IDENTITY DEFAULT;

DROP INDEX account_identity;

ALTER PUBLICATION turnstile_account SET TABLE account (id, first_name, last_name, email, locale), heartbeat;

DROP TRIGGER revision_is_raised ON account;

DROP TRIGGER revision_is_raised ON event;

DROP FUNCTION revision_is_raised();

ALTER TABLE account DROP COLUMN revision;

ALTER TABLE event DROP COLUMN revision;
