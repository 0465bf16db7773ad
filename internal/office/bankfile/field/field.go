// Package field reads the single values of bank files, whatever their format: characters, amounts and dates.
//
//	Decode  bytes in some character set   → text
//	Amount  a decimal number as written   → minor units, exactly
//	Date    a date as written             → a civil date, without time and time zone
//
// A value that can be read in two ways is an error, unless the other values of its file decide: DecimalSign and Orders
// collect what they show.
package field
