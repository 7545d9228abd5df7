DROP INDEX purchase_held;
