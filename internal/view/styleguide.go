package view

import (
	"io"

	"konbit/internal/platform/phrase"
)

// StyleguidePage shows every component of the stylesheet once, for developers. Only the demo serves it.
type StyleguidePage struct {
	Frame
}

type styleguideData struct {
	StyleguidePage
	Fields  []Field
	Check   Checkbox
	Choices []Choice
	Errors  []FormError
}

// Styleguide writes the page of components.
func (v *View) Styleguide(w io.Writer, p StyleguidePage) error {
	p.Language, p.Switch = phrase.English, nil
	wrong := FieldText{Name: "mail", Label: "A field that needs another look", Hint: "A hint", Error: "What to do about it"}
	return v.Write(w, "layout/styleguide", p.Language, styleguideData{
		StyleguidePage: p,
		Fields: []Field{
			{FieldText: FieldText{Name: "name", Label: "A field"}, Type: "text", Value: "Written", Required: true},
			{FieldText: wrong, Type: "email", Value: "nobody", Required: true},
			{FieldText: FieldText{Name: "words", Label: "A longer answer"}, Area: true},
		},
		Check: Checkbox{FieldText: FieldText{Name: "tick", Label: "A tick box", Hint: "Never ticked beforehand"}},
		Choices: []Choice{
			{ID: "choice-0", Name: "choice", Value: "0", Label: "A choice", Hint: "What it means", Checked: true},
			{ID: "choice-1", Name: "choice", Value: "1", Label: "Another"},
		},
		Errors: []FormError{{Target: "mail", Text: wrong.Error}},
	})
}
