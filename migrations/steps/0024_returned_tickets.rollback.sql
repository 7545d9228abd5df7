ALTER TABLE purchase DROP COLUMN returned;
