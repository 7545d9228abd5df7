-- Nothing was changed but what is known of the bound; it goes with the step before.
SELECT 1;
