// Package phrase owns the languages Konbit speaks and the words it says in them.
//
// It holds three nouns:
//
//   - Language: one of the languages we know (English, Spanish, Portuguese,
//     Haitian Creole), with its own name, its plural rule and its way of
//     writing a date. An organisation offers some of them; Match finds the one a
//     reader wants.
//
//   - Text: words an organisation wrote itself, per language, with a fixed
//     order of falling back when one is absent.
//
//   - Catalogue: Konbit's own words, one YAML file per language, flat keys:
//
//     give.title: Give to {organisation}
//     give.errors#one: There is one thing to put right
//     give.errors#other: There are {n} things to put right
//
// A Catalogue that loads is whole: every language has every key, every plural
// form its grammar needs and the same {placeholders}. So a phrase that exists
// in English exists in all of them, and a template cannot meet a gap.
//
// A phrase is plain text. It never carries markup, and whoever shows it
// escapes it. Amounts of money come formatted from the money room.
//
// We do not use go-i18n: it has no plural rule for Haitian Creole.
package phrase
