DROP TABLE revocation;

DROP TABLE credential;

ALTER TABLE account DROP COLUMN roles;
