// Package imports is the area of the office with the pages of imports of gifts from spreadsheets. They are the legal entity's.
package imports
