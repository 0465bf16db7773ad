package view

import "io"

// LettersPage lets a donor stop a kind of letters by the link of one of them, or have them again. It names nobody.
type EmailChoicePage struct {
	Frame
	Kind    string // names the phrases: statements, reminders or news
	Donee   string // who sends them
	Stopped bool
	Action  string // stops them
	Undo    string // takes it back
}

// Letters writes the page.
func (v *View) EmailChoice(w io.Writer, p EmailChoicePage) error {
	return v.write(w, "letters", p.Language, p)
}
