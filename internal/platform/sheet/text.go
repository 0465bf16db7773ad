package sheet

import "strings"

// CSVText returns text that no spreadsheet reads as a formula (OWASP ASVS 5.0.0 V1.2.10): text that begins as a formula gets
// an apostrophe, and so does what follows a tab, a line break or a semicolon within it, which separates the cells of a file
// in most languages.
func CSVText(text string) string {
	if beginsFormula(text) {
		text = "'" + text
	}
	var cell strings.Builder
	for i, char := range text {
		cell.WriteRune(char)
		if strings.ContainsRune(";\t\r\n", char) && beginsFormula(strings.TrimLeft(text[i+1:], ` "`)) {
			cell.WriteByte('\'')
		}
	}
	return cell.String()
}

// beginsFormula reports whether a spreadsheet takes text for a formula, or for a control character before one.
func beginsFormula(text string) bool {
	return text != "" && strings.ContainsRune("=+-@\t\r\n\x00|%＝＋－＠", []rune(text)[0])
}
