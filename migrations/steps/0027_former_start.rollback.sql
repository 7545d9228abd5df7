ALTER TABLE event DROP COLUMN former_starts_at;
