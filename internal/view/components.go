package view

import (
	"html/template"
	"strings"

	"konbit/internal/view/document"
)

// The types of this file are what layout/components.html and the pages of all areas show fields with.

// FieldText is what a form says about a field.
type FieldText struct{ Name, Label, Hint, Error string }

// DescribedBy returns the ids of the field's hint and error, for aria-describedby.
func (d FieldText) DescribedBy() string {
	var ids []string
	if d.Hint != "" {
		ids = append(ids, d.Name+"-hint")
	}
	if d.Error != "" {
		ids = append(ids, d.Name+"-error")
	}
	return strings.Join(ids, " ")
}

// Field is an input or a text area.
type Field struct {
	FieldText
	PostName                               string // name attribute, if it differs from the id
	Value, Type, Autocomplete, Mode, Class string
	Required, Area                         bool
	HideOptional                           bool // do not mark the field as optional: its group is already marked
}

// Checkbox is one check box with its label.
type Checkbox struct {
	FieldText
	Checked bool
}

// Choice is one radio button.
type Choice struct {
	ID, Name, Value, Label, Hint string
	Checked                      bool
}

// ChoiceGroup is a question answered by one of its choices.
type ChoiceGroup struct {
	FieldText
	Choices []Choice
	Other   Choice // the answer that is typed in a field
}

// CountryField is the select element of countries.
type CountryField struct {
	FieldText
	Selected *Country // nil if none is
	Options  template.HTML
}

// FormError is a line of the summary of errors: it links to the element with the id Target. Field is the label of the
// field; empty if it has none.
type FormError struct{ Target, Field, Text string }

// Fact is a row of a two-column list.
type Fact = document.Fact

func fact(label, value string) Fact { return Fact{Label: label, Value: value} }

// FormValue is one field of a form as it was posted.
type FormValue struct{ Name, Value string }
