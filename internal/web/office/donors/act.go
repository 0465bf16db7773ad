package donors

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ActPage explains what can be done for a donor, and asks for it.
type ActPage struct {
	desk.Page
	Heading string
	Donor   Link
	Pairs   []Pair // about the object
	Action  string
	Forms   []ActForm
	Errors  []view.FormError
	Instead string // why nothing can be done; empty: it can
	First   []Link // what has to be done before
}

// ActForm is a form that does one thing. The ids of its fields end with what it does.
type ActForm struct {
	Do         string
	Submission string // one-time id
	Version    string // of what the form was filled with; empty: nothing that others may change
	Heading    string
	Text       []string // what it does, and which email the donor gets
	Hidden     []Option // what was typed, on the page that shows what the form does before it is done
	Months     []Option
	Languages  []Option
	Fields     []view.Field
	Address    []view.Field // a postal address; nil: none
	Country    *view.CountryField
	Reason     view.Field
	Factor     desk.Factor
	Button     string
	Quiet      bool // another form of the page is the first choice
}

// Option is an option of a select element.
type Option struct {
	Value, Label string
	Selected     bool
}

// forms builds the forms of a page, with what was typed into one of them.
type forms struct {
	a        *Area
	v        web.StaffVisit
	form     view.Form
	typed    url.Values // of the form that was posted; nil: none was
	problems []fault.Field
}

func (a *Area) formsOf(r *http.Request, v web.StaffVisit, problems []fault.Field) *forms {
	b := &forms{a: a, v: v, problems: problems}
	if r.Method == http.MethodPost {
		b.typed = r.PostForm
		for i, p := range problems {
			if _, said, ok := strings.Cut(p.Phrase, "error."); ok && a.View.HasPhrase("office.give.error."+said) {
				problems[i].Phrase = "office.give.error." + said // the other speaks to the donor
			}
			problems[i].Name = p.Name + "-" + b.typed.Get("do")
		}
	}
	b.form = a.View.NewForm(v.Language, problems)
	return b
}

// is reports whether a form is the one that was posted.
func (b *forms) is(do string) bool { return b.typed != nil && b.typed.Get("do") == do }

// new returns a form without fields of its own. Its texts are the phrases office.donors.form.DO…
func (b *forms) new(do string, text ...string) ActForm {
	key := "office.donors.form." + do
	f := ActForm{Do: do, Submission: b.a.NewID().String(), Heading: b.a.say(b.v, key), Text: text, Button: b.a.say(b.v, key+"_button")}
	if b.is(do) && b.typed.Get("submission") != "" {
		f.Submission = b.typed.Get("submission")
	}
	f.Reason = b.field(do, "reason", "", view.Field{Area: true, Required: true})
	return f
}

// stepConfirmed is the value of the field step of a form that was shown with what it does.
const stepConfirmed = "confirmed"

// isConfirmed reports whether a form was sent from the page that shows what it does.
func isConfirmed(r *http.Request) bool { return r.PostForm.Get("step") == stepConfirmed }

// check returns the form that confirms the posted one, whose fields it keeps. text says what it does.
func (b *forms) check(do string, names []string, text ...string) ActForm {
	f := b.new(do, text...)
	f.Reason = view.Field{}
	f.Hidden = []Option{{Value: stepConfirmed, Label: "step"}}
	for _, name := range append(names, "reason") {
		f.Hidden = append(f.Hidden, Option{Value: b.typed.Get(name), Label: name})
	}
	return f
}

// field returns a field of a form with its value, or what was typed.
func (b *forms) field(do, name, value string, as view.Field) view.Field {
	id := name + "-" + do
	as.FieldText = view.FieldText{Name: id, Label: b.a.say(b.v, "office.donors.field."+name), Error: b.form.ErrorText(id)}
	if hint := "office.donors.field." + name + "_hint"; b.a.View.HasPhrase(hint) {
		as.Hint = b.a.say(b.v, hint)
	}
	if as.Type == "" {
		as.Type = "text"
	}
	as.PostName, as.Autocomplete, as.Value = name, "off", value
	if b.is(do) {
		as.Value = b.typed.Get(name)
	}
	return as
}

// errors returns the lines of the summary of errors.
func (b *forms) errors() (all []view.FormError) {
	for _, p := range b.form.Problems() {
		name, _, _ := strings.Cut(p.Name, "-")
		label := ""
		if key := "office.donors.field." + name; b.a.View.HasPhrase(key) {
			label = strings.TrimRight(b.a.say(b.v, key), ":?.")
		}
		all = append(all, view.FormError{Target: p.Name, Field: label, Text: b.a.View.ErrorText(b.v.Language, p)})
	}
	return all
}

// showAct writes a page of forms about a donor.
func (a *Area) showAct(w http.ResponseWriter, r *http.Request, b *forms, d donor.Record, heading string, pairs []Pair, instead string, all ...ActForm) error {
	return a.showInstead(w, r, b, d, heading, pairs, instead, nil, all...)
}

// showInstead is showAct with links to what has to be done before.
func (a *Area) showInstead(
	w http.ResponseWriter, r *http.Request, b *forms, d donor.Record, heading string, pairs []Pair, instead string, first []Link, all ...ActForm,
) error {
	p := ActPage{
		Page: a.PageOf(r, b.v, "donors"), Heading: heading, Donor: Link{nameOf(d), b.v.Path("donors/" + d.ID.String())}, Pairs: pairs,
		Action: r.URL.RequestURI(),
		Forms:  all, Errors: b.errors(), Instead: instead, First: first,
	}
	if p.Donor.Label == "" {
		p.Donor.Label = a.say(b.v, "office.donors.nameless")
	}
	p.Problems = b.problems
	status := desk.StatusOf(b.problems)
	if instead != "" && r.Method == http.MethodPost {
		status = http.StatusConflict
	}
	return a.Write(w, status, "donor_act", b.v.Language, p)
}

// done leads back to the donor's record, which says what was done.
func (a *Area) done(w http.ResponseWriter, r *http.Request, v web.StaffVisit, id uuid.UUID, said string) error {
	path := v.Path("donors/" + id.String())
	sign := "?"
	if strings.Contains(path, "?") {
		sign = "&"
	}
	return desk.Redirect(w, r, path+sign+"said="+said)
}

// fieldsOf returns what an error says about a form: its fields, or the form as a whole, at its reason; nil if the page cannot
// explain the error.
func fieldsOf(err error) []fault.Field {
	var bad *fault.Error
	switch {
	case !errors.As(err, &bad):
		return nil
	case len(bad.Fields) > 0:
		return bad.Fields
	case bad.Kind == fault.Conflict || bad.Kind == fault.Forbidden:
		return []fault.Field{{Name: "reason", Phrase: bad.Phrase, Args: bad.Args}}
	}
	return nil
}
