// Package bankfile reads the files that banks offer for download, and decides which of their lines are new. It decides
// nothing else, owns no table, and writes no file.
//
//	bytes ── limits ── characters ── format ──▶ CSV · OFX, QFX · camt.053 · BAI2 ──▶ File: statements with lines, findings
//	                                             │
//	                                             └─▶ *AskLayout, *AskDayFirst: a CSV file about which a person must say more
//
// Read returns a whole file or an error, never a part of a file:
//
//	*Error         the line of the file, the field, the value, and the phrase that says how to mend it; contains a *fault.Error
//	*AskLayout     a CSV file of an unknown layout, with a guess and the first rows as the guess reads them
//	*AskDayFirst   a CSV file whose rows do not show whether the day or the month comes first
//
// What can be read and contradicts itself is a Finding: a statement that does not balance, a line outside its dates. The
// caller decides about it.
//
// Compare decides which lines of a file are stored already. Banks repeat and change their ids of lines, so an id never decides.
package bankfile
