package phrase

// Text is a text that an organisation wrote, by language: a fund's name, its purpose. The zero Text is empty.
type Text map[Language]string

// In returns the text in lang. If it is absent, it returns the text in the first language of Known that has one; ""
// only if the Text is empty.
func (t Text) In(lang Language) string {
	if words := t[lang]; words != "" {
		return words
	}
	for _, known := range languages {
		if words := t[known.language]; words != "" {
			return words
		}
	}
	return ""
}
