// Package phrase owns the languages that Konbit uses and its words in them.
//
// It has three types:
//
//   - Language: one of the known languages (English, Spanish, Portuguese, Haitian Creole), with its own name, its
//     plural rule and its date format. An organisation offers some of them; Match chooses the one that a reader wants.
//
//   - Text: words that an organisation wrote itself, by language, with a fixed order of other languages that are used
//     when one is absent.
//
//   - Catalogue: Konbit's own words, in YAML files by language with flat keys:
//
//     give.title: Give to {organisation}
//     give.errors#one: There is one thing to put right
//     give.errors#other: There are {n} things to put right
//
// A Catalogue is loaded only if it is complete: every language has every key, every plural form that its grammar needs
// and the same {placeholders}. So a phrase that exists in English exists in all languages. Load does not know which
// keys the program uses: a test of package view compares them with the catalogue. Words for staff, who have fewer
// languages, are added with Catalogue.With.
//
// A phrase is plain text without markup; the code that shows it escapes it. Amounts of money are formatted by package
// money.
//
// go-i18n is not used, because it has no plural rule for Haitian Creole.
package phrase
