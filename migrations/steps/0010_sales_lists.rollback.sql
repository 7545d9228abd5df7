DROP INDEX purchase_event_made_at;
DROP INDEX purchase_account_made_at;
CREATE INDEX purchase_account_id ON purchase (account_id, at);
ALTER TABLE purchase DROP COLUMN made_at;
