package batches

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/office/offline"
	"konbit/internal/people/staff"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// newDonor is the value of the hidden field donor_id by which a row is of a new donor; rowDonor begins that of the new donor of an
// earlier row.
const newDonor, rowDonor = "new", "row:"

// severalFunds is the option of the field fund by which each fund has a field of its own. A fund has no such code: see package fund.
const severalFunds = "several:"

// entry is a row while it is typed.
type entry struct {
	n          int // the row that is corrected; 0: a new one
	submission string
	typed      offline.Typed
	donorID    string // an id, newDonor or rowDonor; empty: not found yet
	donorWas   string // the text for which donorID was found: another text is searched anew
	choice     string // what was chosen of the donors that were listed: 1 to 9, or 0 for a new one
	candidates []string

	matches  []match // to choose from; nil: nothing is to be chosen
	chosen   match   // the donor; zero: none yet
	onlyName bool    // nothing but the donor was typed: nothing is wrong yet
	several  bool    // the gift is for several funds: each has a field
	problems []fault.Field
}

// match is a donor to choose.
type match struct {
	Digit              int // 1 to 9, by which it is chosen
	Value, Name, Place string
	kind               donor.Kind
	id                 uuid.UUID
	row                int // of a new donor of an earlier row
}

// entryOf reads a row from a form.
func entryOf(r *http.Request) *entry {
	e := &entry{
		submission: r.PostForm.Get("submission"), typed: offline.TypedOf(r.PostForm), donorID: clean.Code(r.PostForm.Get("donor_id")),
		donorWas: clean.Line(r.PostForm.Get("donor_was")), choice: clean.Code(r.PostForm.Get("choice")),
	}
	if e.several = e.typed["fund"] == severalFunds; e.several {
		delete(e.typed, "fund")
	}
	e.n, _ = strconv.Atoi(r.PostForm.Get("row"))
	for _, value := range strings.Split(r.PostForm.Get("candidates"), " ") {
		if value != "" {
			e.candidates = append(e.candidates, value)
		}
	}
	return e
}

// entryOfRow returns the entry that corrects a row.
func entryOfRow(row offline.Row) *entry {
	e := &entry{n: row.N, submission: row.Submission.String(), typed: row.Typed, donorWas: row.Typed["donor"], donorID: newDonor}
	switch {
	case row.DonorID.Valid:
		e.donorID = row.DonorID.UUID.String()
	case row.SameAs > 0:
		e.donorID = rowDonor + strconv.Itoa(row.SameAs)
	}
	return e
}

// find finds the donor of an entry, and whom it is credited to. q is in a transaction of desk.Read. It fills in chosen or matches, or
// a problem.
func (a *Area) find(ctx context.Context, q sqlx.QueryerContext, v web.StaffVisit, b offline.Batch, rows []offline.Row, e *entry) error {
	if e.choice == "" && len(e.typed["donor"]) == 1 && e.typed["donor"] != e.donorWas && len(e.candidates) > 0 { // a digit was typed
		e.choice, e.typed["donor"] = e.typed["donor"], e.donorWas
	}
	if n, err := strconv.Atoi(e.choice); err == nil {
		if e.donorWas = e.typed["donor"]; n == 0 {
			e.donorID = newDonor
		} else if n <= len(e.candidates) {
			e.donorID = e.candidates[n-1]
		}
	}
	text := e.typed["donor"]
	if text != e.donorWas {
		e.donorID = ""
	}
	if err := a.findDonor(ctx, q, v, b, rows, e, text); err != nil {
		return err
	}
	return a.findCredit(ctx, q, v, b, e)
}

func (a *Area) findDonor(ctx context.Context, q sqlx.QueryerContext, v web.StaffVisit, b offline.Batch, rows []offline.Row, e *entry, text string) error {
	switch {
	case e.donorID == newDonor, text == "" && e.typed.NamesDonor():
		e.donorID = newDonor
		return nil
	case strings.HasPrefix(e.donorID, rowDonor):
		if m, ok := newDonorOf(rows, e.donorID, e.n); ok {
			e.chosen = m
			return nil
		}
		e.donorID = ""
	case e.donorID != "":
		text = e.donorID
	}
	if text == "" {
		e.problems = append(e.problems, fault.Field{Name: "donor", Phrase: "office.batch.error.donor"})
		return nil
	}
	found, err := offline.FindDonors(ctx, q, v.Entity.ID, b.OrganisationID, text, offline.MostMatches+1)
	if err != nil {
		return err
	}
	var all []match
	for _, f := range found {
		all = append(all, match{Value: f.ID.String(), Name: f.Name(), Place: f.Place(), kind: f.Kind, id: f.ID})
	}
	if e.donorID == "" {
		all = append(all, newDonorsLike(rows, text, e.n)...)
	}
	switch {
	case len(all) == 1 && !(e.typed.NamesDonor() && e.donorID == ""):
		e.chosen, e.donorID, e.donorWas = all[0], all[0].Value, e.typed["donor"]
	case len(all) == 0:
		e.donorID, e.donorWas = newDonor, e.typed["donor"]
		if !e.typed.NamesDonor() {
			e.nameAfter(text)
			e.onlyName = true
			e.problems = append(e.problems, fault.Field{Name: "donor", Phrase: "office.batch.error.donor_new", Args: fault.Args{"typed": text}})
		}
	case len(all) > offline.MostMatches:
		e.problems = append(e.problems, fault.Field{Name: "donor", Phrase: "office.batch.error.donor_many"})
	default:
		e.matches, e.donorWas = all, e.typed["donor"]
	}
	return nil
}

// nameAfter fills in the name of a new donor from what was searched for, if that can be a name.
func (e *entry) nameAfter(text string) {
	words := strings.Fields(text)
	if strings.ContainsAny(text, "0123456789@=") || len(words) == 0 || len(words) > 4 {
		if strings.Contains(text, "@") {
			e.typed["email"] = text
		}
		return
	}
	switch given := offline.GivenBy(e.typed["given_by"]); {
	case given != "" && given != offline.Person:
		e.typed["organisation"] = text
	default:
		e.typed["first_name"] = words[0]
		if len(words) > 1 {
			e.typed["last_name"] = strings.Join(words[1:], " ")
		}
	}
}

// newCredit fills in the name of a new person to whom a gift is credited from what was searched for, if that can be a name.
func (e *entry) newCredit(text string) {
	words := strings.Fields(text)
	switch {
	case strings.Contains(text, "@"):
		e.typed["credit_email"] = text
	case len(words) > 1 && len(words) <= 4 && !strings.ContainsAny(text, "0123456789="):
		e.typed["credit_first_name"], e.typed["credit_last_name"] = words[0], strings.Join(words[1:], " ")
	}
}

// newDonorsLike returns the new donors of other rows whose names have, for each word of a text, a word that begins with it.
func newDonorsLike(rows []offline.Row, text string, except int) (all []match) {
	for _, row := range rows {
		if row.DonorID.Valid || row.SameAs > 0 || row.N == except || except > 0 && row.N > except || len(all) == offline.MostMatches {
			continue
		}
		m := matchOfRow(row)
		words := strings.Fields(strings.ToLower(m.Name + " " + m.Place))
		if !slices.ContainsFunc(strings.Fields(strings.ToLower(text)), func(wanted string) bool {
			return !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, wanted) })
		}) {
			all = append(all, m)
		}
	}
	return all
}

func newDonorOf(rows []offline.Row, value string, before int) (match, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(value, rowDonor))
	i := slices.IndexFunc(rows, func(r offline.Row) bool { return r.N == n && !r.DonorID.Valid && r.SameAs == 0 })
	if err != nil || i < 0 || before > 0 && n >= before {
		return match{}, false
	}
	return matchOfRow(rows[i]), true
}

func matchOfRow(row offline.Row) match {
	t, kind := row.Typed, donor.Person
	name := strings.TrimSpace(t["first_name"] + " " + t["last_name"])
	if row.GivenBy != offline.Person {
		name, kind = t["organisation"], donor.Organisation
	}
	place := strings.Join(slices.DeleteFunc([]string{t["address_line1"], t["city"], t["postal_code"], t["email"]}, func(s string) bool { return s == "" }),
		", ")
	return match{Value: rowDonor + strconv.Itoa(row.N), Name: name, Place: place, kind: kind, row: row.N}
}

// findCredit finds whom a gift is credited to besides its donor: one person.
func (a *Area) findCredit(ctx context.Context, q sqlx.QueryerContext, v web.StaffVisit, b offline.Batch, e *entry) error {
	text := e.typed["soft_credit"]
	if e.typed.CreditsNew() { // it was searched for before, and not found
		delete(e.typed, "soft_credit")
		return nil
	}
	if text == "" || text == offline.Repeat {
		return nil
	}
	found, err := offline.FindDonors(ctx, q, v.Entity.ID, b.OrganisationID, text, 4)
	switch {
	case err != nil:
		return err
	case len(found) == 1:
		e.typed["soft_credit"] = found[0].ID.String()
	case len(found) == 0:
		e.newCredit(text)
		e.problems = append(e.problems, fault.Field{Name: "soft_credit", Phrase: "office.batch.error.soft_credit_none"})
	default:
		var names []string
		for _, f := range found[:min(3, len(found))] {
			names = append(names, f.Name())
		}
		e.problems = append(e.problems, fault.Field{Name: "soft_credit", Phrase: "office.batch.error.soft_credit_many", Args: fault.Args{
			"names": strings.Join(names, "; ")}})
	}
	return nil
}

// check reads the entry, and adds what is wrong with it. It reports whether the row can be stored.
func (a *Area) check(v web.StaffVisit, b offline.Batch, e *entry) (m offline.Meaning, ok bool) {
	if e.matches != nil {
		return m, false
	}
	rest := slices.ContainsFunc([]string{"amount", "number", "note", "in_return"}, func(name string) bool { return e.typed[name] != "" })
	if e.n == 0 && !rest && len(e.typed.Splits()) == 0 && len(e.problems) == 0 {
		e.onlyName = true // the donor is known now, and the next field is the amount
		return m, false
	}
	if e.onlyName {
		return m, false
	}
	who := offline.Choice{ID: e.chosen.id, Kind: e.chosen.kind, SameAs: e.chosen.row}
	typed := e.typed
	if who.SameAs > 0 { // named by the other row
		typed = offline.Typed{}
		for name, text := range e.typed {
			typed[name] = text
		}
		typed["first_name"], typed["organisation"] = e.chosen.Name, ""
		if who.Kind == donor.Organisation {
			typed["first_name"], typed["organisation"] = "", e.chosen.Name
		}
	}
	m, bad := a.checker(v, b).Check(typed, who)
	if e.several && len(typed.Splits()) == 0 {
		bad = append(bad, fault.Field{Name: "fund", Phrase: "office.batch.error.fund_several"})
	}
	if len(e.problems) > 0 { // of the donor: what follows from it is not said too
		bad = slices.DeleteFunc(bad, func(f fault.Field) bool { return f.Name == "first_name" || f.Name == "organisation" })
	}
	e.problems = append(e.problems, bad...)
	if id, err := uuid.Parse(e.typed["soft_credit"]); err == nil {
		m.SoftCredit = uuid.NullUUID{UUID: id, Valid: true}
	}
	return m, len(e.problems) == 0
}

// rowPost stores a row, or shows what is missing.
func (a *Area) rowPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit, b offline.Batch, rows []offline.Row) error {
	e := entryOf(r)
	var above offline.Typed
	for _, row := range rows {
		if e.n == 0 || row.N < e.n {
			above = row.Typed
			if above != nil && e.typed["donor"] == offline.Repeat {
				e.donorWas = above["donor"]
				e.donorID = entryOfRow(row).donorID
				if e.donorID == newDonor {
					e.donorID = rowDonor + strconv.Itoa(row.N)
				}
			}
		}
	}
	e.typed = e.typed.Repeated(above)
	if e.typed["donor"] == "" && strings.HasPrefix(e.donorID, rowDonor) {
		e.donorWas = ""
	}
	if err := a.Read(r, v, func(tx *sqlx.Tx) error { return a.find(r.Context(), tx, v, b, rows, e) }); err != nil {
		return err
	}
	m, ok := a.check(v, b, e)
	if !ok {
		return a.showBatch(w, r, v, b, rows, e, postForm{}, nil)
	}
	submission, err := uuid.Parse(e.submission)
	if err != nil {
		submission = a.NewID()
	}
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		_, err := offline.StoreTx(r.Context(), tx, b, e.n, submission, e.typed, m)
		return err
	})
	if problem := problemOf(err); problem != nil {
		e.problems = append(e.problems, *problem)
		return a.showBatch(w, r, v, b, rows, e, postForm{}, nil)
	}
	if err != nil {
		return err
	}
	return desk.Redirect(w, r, pathOf(v, b.N)+"#donor")
}

// problemOf returns what a form says about a refusal of package offline; nil if err is none.
func problemOf(err error) *fault.Field {
	for _, known := range []error{offline.ErrEnded, offline.ErrPerson, offline.ErrPoster, offline.ErrDiffers, offline.ErrHasRows, offline.ErrOtherForm} {
		if f := (*fault.Error)(nil); asFault(err, known, &f) {
			return &fault.Field{Name: "row-form", Phrase: f.Phrase}
		}
	}
	return nil
}

// focusOf returns which field of a row is typed next.
func focusOf(e *entry) string {
	switch {
	case len(e.matches) > 0:
		return "match-1"
	case e.onlyName && e.donorID == newDonor && (e.typed["organisation"] != "" || e.typed["last_name"] != ""):
		return "email" // the name is read from what was searched for
	case e.onlyName && e.donorID == newDonor:
		return "first_name"
	case e.onlyName:
		return "amount"
	case len(e.problems) > 0:
		return e.problems[0].Name
	}
	return "donor"
}
