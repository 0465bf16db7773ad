package phrase

// Text is words written by an organisation, per language: a fund's name, a
// purpose. The zero Text is empty.
type Text map[Language]string

// In answers the words in lang or, where those are absent, in the first
// language of Known that has some. It is empty only when the Text is.
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
