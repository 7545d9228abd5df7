-- What was announced stays announced: the ledger has it.
SELECT 1;
