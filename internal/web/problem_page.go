package web

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/view"
)

// ProblemPage says that a request failed, and what to do now.
type ProblemPage struct {
	view.Frame
	Status     int           // HTTP status
	Detail     fault.Field   // what to do, more precisely than the status; Name is not used. Empty: the status's own words
	Reference  string        // finds the failure in the log; empty: not shown
	BackURL    string        // where to try again; empty: the front page, or that of the office
	Office     bool          // the page is one of staff
	Typed      string        // what a person wrote in the form that failed, for copying; may be empty
	RetryAfter time.Duration // after which the same is possible again; 0: not said
	SignInURL  string        // where the person can sign in and go on at once; empty: not said
}

// Write writes the page. A status without words of its own is shown with those of 400 or 500.
func (p ProblemPage) Write(w io.Writer, v *view.View) error {
	key := problemKey(v, p.Status)
	data := struct {
		ProblemPage
		Title, Text, HomeURL, Home, TypedLabel string
	}{p, v.Phrase(p.Language, key+".title"), v.Phrase(p.Language, key+".text"), "/", v.Phrase(p.Language, "problem.home"), ""}
	if p.Office {
		data.HomeURL, data.Home = "/office", v.Phrase(p.Language, "office.problem.home")
		data.TypedLabel = v.Phrase(p.Language, "office.problem.typed")
	}
	if v.HasPhrase(p.Detail.Phrase) {
		data.Text = v.ErrorText(p.Language, p.Detail)
	}
	if p.RetryAfter > 0 {
		minutes := int((p.RetryAfter + time.Minute - 1) / time.Minute)
		data.Text += " " + v.PhraseN(p.Language, "problem.429.after", minutes)
	}
	if p.SignInURL != "" {
		data.Text += " " + v.Phrase(p.Language, "problem.429.sign_in_text")
	}
	return v.Write(w, "layout/problem", p.Language, data)
}

func problemKey(v *view.View, status int) string {
	if key := "problem." + strconv.Itoa(status); v.HasPhrase(key + ".title") {
		return key
	}
	if status < http.StatusInternalServerError {
		return "problem.400"
	}
	return "problem.500"
}

// styleguide shows every component once. It is served in the demo only.
func (k *Kernel) styleguide(w http.ResponseWriter, _ *http.Request, _ Anyone) error {
	return WritePage(w, http.StatusOK, func(b io.Writer) error { return k.View.Styleguide(b, view.StyleguidePage{}) })
}
