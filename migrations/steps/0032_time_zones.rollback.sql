CREATE OR REPLACE FUNCTION is_time_zone(name text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    PERFORM timestamptz 'epoch' AT TIME ZONE name;
    RETURN name ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$$;
