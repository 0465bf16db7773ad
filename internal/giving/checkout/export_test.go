package checkout

// InsertTx is insertTx, for tests of the order in which rows are inserted.
var InsertTx = insertTx
