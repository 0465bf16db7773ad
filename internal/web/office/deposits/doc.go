// Package deposits is the area of the office with the pages of deposits, of checks that came back, and of refunds that are owed. They are the
// legal entity's: a project has none.
package deposits
