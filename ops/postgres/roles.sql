-- Run once, by the image, on an empty data folder: the two roles and the database.
-- The passwords are read by psql itself, so that they are in no command line and no environment.
\set owner_password `cat /run/secrets/database_password`
\set cdc_password `cat /run/secrets/cdc_password`

CREATE ROLE turnstile WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE turnstile_cdc WITH LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'cdc_password';

CREATE DATABASE turnstile OWNER turnstile;
REVOKE ALL ON DATABASE turnstile FROM PUBLIC;
GRANT CONNECT ON DATABASE turnstile TO turnstile_cdc;
