// Package gifts serves the gifts of a scope to staff: the list with search, filters and files, the page of a gift with its
// whole history, the export of a list, and the notes of staff on any object.
package gifts
