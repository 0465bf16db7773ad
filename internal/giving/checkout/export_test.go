package checkout

// Begin and BeginArgs are for tests of the order in which rows are locked.
const Begin = begin

var BeginArgs = beginArgs
