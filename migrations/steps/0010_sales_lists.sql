-- Lists of purchases: by account, the newest first, by the time of the first outcome, which never changes
-- (at is that of the last one). So a purchase keeps its place in a list that is read page by page.
ALTER TABLE purchase ADD COLUMN made_at timestamptz;
UPDATE purchase SET made_at = at;
ALTER TABLE purchase ALTER COLUMN made_at SET NOT NULL;

DROP INDEX purchase_account_id;
CREATE INDEX purchase_account_made_at ON purchase (account_id, made_at DESC, event_id, id);
CREATE INDEX purchase_event_made_at ON purchase (event_id, made_at DESC, id);
