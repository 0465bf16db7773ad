package view

import (
	"io"
	"strconv"

	"konbit/internal/platform/fault"
)

// ProblemPage says that a page could not be shown, and what to do now.
type ProblemPage struct {
	Frame
	Status    int         // of HTTP
	Detail    fault.Field // says more than the status does; its Name is not used. Empty: the status's own words
	Reference string      // finds the failure in the log; empty: not shown
	BackURL   string      // where one may try again; empty: the front page
}

type problemData struct {
	ProblemPage
	Title, Text string
}

// Problem writes the page of a failure. A status without words of its own gets
// those of its class.
func (v *View) Problem(w io.Writer, p ProblemPage) error {
	key := v.problemKey(p.Status)
	d := problemData{
		ProblemPage: p,
		Title:       v.say(p.Language, key+".title"),
		Text:        v.say(p.Language, key+".text"),
	}
	if v.words.Has(p.Detail.Phrase) {
		d.Text = v.errorText(p.Language, p.Detail)
	}
	return v.write(w, "problem", p.Language, d)
}

func (v *View) problemKey(status int) string {
	if key := "problem." + strconv.Itoa(status); v.words.Has(key + ".title") {
		return key
	}
	if status < 500 {
		return "problem.400"
	}
	return "problem.500"
}
