ALTER TABLE confirmation DROP COLUMN goal, DROP COLUMN link_hash;
