// Package suspense serves the amounts in suspense to staff: the list, the page of one with its history, and the form that asks a
// second person to book it to an account.
package suspense
