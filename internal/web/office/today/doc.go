// Package today serves the first page of a scope: what needs a person, and the month in pictures. It also serves the list of
// tasks, and the entries in the books behind each number.
package today
