package view

import (
	"io"

	"konbit/internal/platform/phrase"
)

// StyleguidePage shows every component of the stylesheet once. It is for those
// who build pages, and only the demo has it.
type StyleguidePage struct {
	Frame
}

type styleguideData struct {
	StyleguidePage
	Fields  []field
	Check   check
	Choices []choice
	Errors  []formError
}

// Styleguide writes the page of components.
func (v *View) Styleguide(w io.Writer, p StyleguidePage) error {
	p.Language, p.Switch = phrase.English, nil
	wrong := fieldText{Name: "mail", Label: "A field that needs another look", Hint: "A hint", Error: "What to do about it"}
	return v.write(w, "styleguide", p.Language, styleguideData{
		StyleguidePage: p,
		Fields: []field{
			{fieldText: fieldText{Name: "name", Label: "A field"}, Type: "text", Value: "Written", Required: true},
			{fieldText: wrong, Type: "email", Value: "nobody", Required: true},
			{fieldText: fieldText{Name: "words", Label: "A longer answer"}, Area: true},
		},
		Check: check{fieldText: fieldText{Name: "tick", Label: "A tick box", Hint: "Never ticked beforehand"}},
		Choices: []choice{
			{ID: "choice-0", Name: "choice", Value: "0", Label: "A choice", Hint: "What it means", Checked: true},
			{ID: "choice-1", Name: "choice", Value: "1", Label: "Another"},
		},
		Errors: []formError{{Target: "mail", Text: wrong.Error}},
	})
}
