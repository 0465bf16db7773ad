package desk

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
)

// Page is what every page of the office has in common.
type Page struct {
	view.Frame
	Section      string // which page it is, for the navigation
	Token        string // the page's forms post it back; empty without a session
	SignedIn     string // name of the signed-in person; empty without a session
	Entity       string // what the scope is called; empty on pages of no scope
	Organisation string // likewise; empty if the scope is the whole entity
	Nav          []NavItem
	CanChange    bool   // there is more than one scope to choose from
	BreakGlass   bool   // the session is an emergency access
	Recovery     bool   // a recovery code opened the session
	Done         string // what was just done, as a phrase key after office.said.; may be empty
	Problems     []fault.Field
}

// NavItem is a link of the navigation.
type NavItem struct {
	Key     string // office.nav.KEY
	Name    string // of a scope, which is shown instead of the phrase
	URL     string
	Current bool
}

// said are the values of ?said=.
var said = []string{"signed_out", "session_ended", "sessions_ended", "passkey_removed", "code_removed", "password_set", "app_set", "passkey_added",
	"invited", "granted", "ended", "reset", "invited_again", "joined",
	"plan_paused", "plan_resumed", "plan_is_active", "plan_is_paused", "plan_is_over",
	"erasure_withdrawn", "plan_cancelled", "plan_soon", "details_saved", "receipt_sent", "receipt_moved",
	"receipt_corrected", "erasure_requested"}

// PageOf returns the page of a visit. section is its place in the navigation.
func (d *Desk) PageOf(r *http.Request, v web.StaffVisit, section string) Page {
	p := Page{
		Frame: d.Frame(r, v.Language), Section: section, Token: d.Staff.FormToken(v.Session), SignedIn: v.Name,
		BreakGlass: v.BreakGlass, Recovery: v.UsedRecovery(), CanChange: len(ScopesOf(v)) > 1,
	}
	for _, known := range said {
		if r.URL.Query().Get("said") == known {
			p.Done = known
		}
	}
	p.Skip = "content"
	if v.Entity.Slug == "" {
		p.Nav = navOfNoScope(v)
		return p
	}
	p.Entity = v.Entity.LegalName
	if v.Organisation != nil {
		p.Organisation, p.Accent = v.Organisation.Name.In(v.Language), v.Organisation.Accent
	}
	p.Nav = navOf(v, section)
	return p
}

// navOf returns the pages of the visit's scope that its person may read.
func navOf(v web.StaffVisit, section string) (nav []NavItem) {
	add := func(key string, roles ...staff.RoleName) {
		if v.Has(v.Scope, roles...) {
			page := key
			if key == "scope" {
				page = ""
			}
			nav = append(nav, NavItem{Key: key, URL: v.Path(page), Current: key == section})
		}
	}
	add("scope", staff.RoleNames...)
	add("batches", staff.Entry, staff.Finance, staff.Auditor)
	if v.Organisation == nil {
		add("imports", staff.Entry, staff.Finance, staff.Auditor)
	}
	lists := []string{"gifts", "donors", "refunds", "disputes", "payouts", "deposits", "bank", "suspense", "tasks"}
	if v.Organisation != nil { // payouts, deposits and the bank are the entity's
		lists = slices.DeleteFunc(lists, func(list string) bool { return list == "payouts" || list == "deposits" || list == "bank" })
	}
	for _, list := range lists {
		add(list, Readers...)
	}
	add("approvals", Deciders...)
	add("people", staff.Admin, staff.Auditor)
	add("audit", staff.Admin, staff.Auditor)
	return nav
}

// navOfNoScope returns the navigation of pages of no scope: that of the only scope of the person, or the first page of each.
func navOfNoScope(v web.StaffVisit) (nav []NavItem) {
	scopes := ScopesOf(v)
	if len(scopes) == 1 {
		if in, ok := scopes[0].enter(v); ok {
			return navOf(in, "")
		}
	}
	for _, s := range scopes {
		nav = append(nav, NavItem{Key: "scope", Name: s.Name, URL: s.URL})
	}
	return nav
}

func (d *Desk) Frame(r *http.Request, lang phrase.Language) view.Frame {
	return view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, view.StaffLanguages)}
}

// Form returns a builder of the page's fields.
func (p Page) Form(v *view.View) view.Form { return v.NewForm(p.Language, p.Problems) }

// Field returns a field whose label is the phrase office.field.NAME; its hint is office.field.NAME_hint, if there is one.
func Field(f view.Form, v *view.View, name, value string, as view.Field) view.Field {
	as.FieldText = view.FieldText{Name: name, Label: f.Phrase("office.field." + name), Error: f.ErrorText(name)}
	if hint := "office.field." + name + "_hint"; v.HasPhrase(hint) {
		as.Hint = f.Phrase(hint)
	}
	if as.Type == "" {
		as.Type = "text"
	}
	as.Value = value
	return as
}

// ErrorsOf returns the lines of the summary of errors. A field that has another label than the one of Field is passed.
func ErrorsOf(f view.Form, lang phrase.Language, v *view.View, relabelled ...view.Field) (all []view.FormError) {
	for _, problem := range f.Problems() {
		label := ""
		if problem.Name != "submit" && v.HasPhrase("office.field."+problem.Name) { // the whole act is named by a page that has a name for it
			label = f.Phrase("office.field." + problem.Name)
		}
		for _, field := range relabelled {
			if field.Name == problem.Name {
				label = field.Label
			}
		}
		all = append(all, view.FormError{Target: problem.Name, Field: strings.TrimRight(label, ":?."), Text: v.ErrorText(lang, problem)})
	}
	return all
}

// Write writes a page of the template office/NAME.
func (d *Desk) Write(w http.ResponseWriter, status int, name string, lang phrase.Language, data any) error {
	return web.WritePage(w, status, func(b io.Writer) error { return d.View.Write(b, "office/"+name, lang, data) })
}

// Moment returns a time of the database as pages show it, in a time zone.
func (d *Desk) Moment(at time.Time, zone *time.Location) time.Time { return d.Shown(at).In(zone) }
