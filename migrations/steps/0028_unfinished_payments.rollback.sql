DROP INDEX payment_unfinished;
