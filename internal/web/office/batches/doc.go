// Package batches has the pages on which staff type gifts that come without a payment processor: the batches of a scope, and the
// rows of one. See package offline for what they mean.
//
// A row is typed without a mouse: Enter sends the form. It finds the donor by what was typed, lists up to nine to choose by a
// digit, or opens the fields of a new donor; once the donor is known and the rest is typed, it stores the row, and the next one
// begins at the donor. All of this is one form that the server answers; the script (batch.js) only adds keys.
package batches
