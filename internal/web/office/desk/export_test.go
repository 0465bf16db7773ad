package desk

// ContentOf is contentOf, for tests.
var ContentOf = contentOf
