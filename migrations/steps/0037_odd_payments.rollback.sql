-- Nothing was changed but what is known of the bounds; they go with the step before.
SELECT 1;
