// Package typeset turns text into lines of glyphs: it chooses a font that has the characters, shapes each script (joined
// Arabic letters, Indic conjuncts, stacked Khmer), orders right-to-left text (UAX #9), breaks lines (UAX #14), and cuts
// a font down to the glyphs of one document.
//
//	Latin, Greek, Cyrillic   Liberation Sans, which is part of the program
//	every other script       the Noto fonts of the machine (Folders), read when a document first needs them
//
// A text goes one of two ways. Text whose characters stand for one glyph each (most names and all words of ours) is
// measured by a table. Any other text goes through HarfBuzz's rules, ported to Go (go-text/typesetting).
//
// No character is ever replaced by a box. If no font has a letter with an accent, the letter is set without the accent;
// an emoji or another sign that no font has is left out; for any other character, Lines reports a *MissingError.
package typeset
