ALTER TABLE confirmation DROP COLUMN sessions;
