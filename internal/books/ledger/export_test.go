package ledger

// MostOfFunds is for tests of another package.
var MostOfFunds = &mostOfFunds
