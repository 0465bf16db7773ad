package giftlist

// CSVColumns is for tests of another package.
var CSVColumns = csvColumns
