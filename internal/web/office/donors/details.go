package donors

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/office/donorfile"
	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// donorIn returns the donor whom the address names; fault.NotFound if the visit's person may not see them, or they were erased.
func (a *Area) donorIn(r *http.Request, v web.StaffVisit) (d donor.Record, err error) {
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		d, _, err = a.recordIn(r, v, tx)
		return err
	})
	if err == nil && d.IsErased() {
		err = web.NotFound()
	}
	return d, err
}

// detailsGet shows the form for a donor's name, postal address, telephone number and language.
func (a *Area) detailsGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	d, err := a.donorIn(r, v)
	if err != nil {
		return err
	}
	return a.showDetails(w, r, v, d, nil)
}

func (a *Area) showDetails(w http.ResponseWriter, r *http.Request, v web.StaffVisit, d donor.Record, problems []fault.Field) error {
	const do = "details"
	b := a.formsOf(r, v, problems)
	f := b.new(do, a.say(v, "office.donors.form.details_text"), a.say(v, "office.donors.form.details_receipts"))
	f.Version = versionOf(d)
	known, on, err := a.knownDetails(r, v, d)
	if err != nil {
		return err
	}
	if !on.IsZero() {
		f.Text = append(f.Text, a.say(v, "office.donors.form.details_known", "day", phrase.Date(v.Language, on.In(v.Entity.Location()))))
	}
	if d.Kind == donor.Organisation {
		f.Fields = []view.Field{b.field(do, "organisation_name", d.OrganisationName, view.Field{Required: true})}
	} else {
		f.Fields = []view.Field{b.field(do, "first_name", d.FirstName, view.Field{Required: true}),
			b.field(do, "last_name", d.LastName, view.Field{HideOptional: true})}
	}
	f.Fields = append(f.Fields, b.field(do, "phone", known.Phone, view.Field{Type: "tel", Mode: "tel"}))
	for _, part := range []struct{ name, value string }{
		{"address_line1", known.AddressLine1}, {"address_line2", known.AddressLine2}, {"city", known.City}, {"region", known.Region},
		{"postal_code", known.PostalCode},
	} {
		f.Address = append(f.Address, b.field(do, part.name, part.value, view.Field{HideOptional: true}))
	}
	chosen, country := d.Language, contact.Contact{Details: known}
	if b.is(do) {
		chosen, country.Country = b.typed.Get("language"), b.typed.Get("country")
	}
	field := b.form.CountryField(country)
	field.FieldText = view.FieldText{Name: "country-" + do, Label: a.say(v, "office.donors.field.country"), Error: b.form.ErrorText("country-" + do)}
	f.Country = &field
	for _, lang := range a.Languages {
		f.Languages = append(f.Languages, Option{string(lang), lang.Name(), string(lang) == chosen})
	}
	return a.showAct(w, r, b, d, a.say(v, "office.donors.act.details"), nil, "", f)
}

// detailsPost stores a donor's name and details as the donor told the office. Receipts that were issued do not change.
func (a *Area) detailsPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	d, err := a.donorIn(r, v)
	if err != nil {
		return err
	}
	f, problems, err := formOf(r)
	if err != nil {
		return err
	}
	profile, organisation, bad := a.detailsOf(r, d)
	known, _, err := a.knownDetails(r, v, d)
	if err != nil {
		return err
	}
	bad = append(bad, incomplete(profile.Details, known)...)
	if problems = append(bad, problems...); problems != nil {
		return a.showDetails(w, r, v, d, problems)
	}
	err = a.act(r, v, f, entityOf(v), func(tx *sqlx.Tx) (audit.Act, error) {
		if err := donor.LockTx(r.Context(), tx, []uuid.UUID{d.ID}); err != nil {
			return audit.Act{}, err
		}
		if d, err = donor.RecordOf(r.Context(), tx, d.ID); err != nil {
			return audit.Act{}, err
		}
		if err := changedMeanwhile(r.PostForm.Get("version"), d); err != nil {
			return audit.Act{}, err
		}
		done := audit.Act{Name: "donor.corrected", ObjectKind: "donor", ObjectID: d.ID.String(),
			After: map[string]any{"changed": changed(d, profile, organisation)}}
		return done, donor.CorrectTx(r.Context(), tx, d.ID, profile, organisation, a.Now())
	})
	if problems = fieldsOf(err); problems != nil {
		if d, err = a.donorIn(r, v); err != nil {
			return err
		}
		return a.showDetails(w, r, v, d, problems)
	}
	if err != nil {
		return err
	}
	return a.done(w, r, v, d.ID, "details_saved")
}

// knownDetails returns what a donor's form is filled with: what is stored about the donor or, of a donor who never said their postal address, that
// of the newest gift that has one, and when that was given.
func (a *Area) knownDetails(r *http.Request, v web.StaffVisit, d donor.Record) (known contact.Details, on time.Time, err error) {
	if known = d.Details; linesOf(known) != nil {
		return known, on, nil
	}
	err = a.Read(r, v, func(tx *sqlx.Tx) error {
		gifts, _, err := donorfile.Gifts(r.Context(), tx, scopeOf(v), d.ID, donorfile.GiftPlace{}, desk.PageSize)
		if err != nil {
			return err
		}
		ids := make([]uuid.UUID, len(gifts))
		for i, g := range gifts {
			ids[i] = g.ID
		}
		typed, err := donation.ContactsOf(r.Context(), tx, ids)
		for _, g := range gifts {
			if c := typed[g.ID]; linesOf(c.Details) != nil {
				phone := known.Phone
				known, on = c.Details, g.ChargedAt
				known.Phone = phone
				return err
			}
		}
		return err
	})
	return known, on, err
}

// incomplete returns what a postal address lacks. One that is as the form had it may lack something.
func incomplete(typed, known contact.Details) (problems []fault.Field) {
	typed.Phone, known.Phone = "", ""
	if typed == known || typed == (contact.Details{}) {
		return nil
	}
	for _, part := range []struct{ name, value string }{
		{"address_line1", typed.AddressLine1}, {"city", typed.City}, {"postal_code", typed.PostalCode}, {"country", typed.Country},
	} {
		if part.value == "" {
			problems = append(problems, fault.Field{Name: part.name, Phrase: "office.donors.error.address"})
		}
	}
	return problems
}

// valuesOf returns what the form changes.
func valuesOf(d donor.Record) []struct{ name, value string } {
	return []struct{ name, value string }{
		{"first_name", d.FirstName}, {"last_name", d.LastName}, {"organisation_name", d.OrganisationName}, {"phone", d.Phone},
		{"address_line1", d.AddressLine1}, {"address_line2", d.AddressLine2}, {"city", d.City}, {"region", d.Region}, {"postal_code", d.PostalCode},
		{"country", d.Country}, {"language", d.Language},
	}
}

// versionOf returns a part of the hash of each value.
func versionOf(d donor.Record) string {
	var parts []string
	for _, v := range valuesOf(d) {
		sum := sha256.Sum256([]byte(d.ID.String() + v.name + "=" + v.value))
		parts = append(parts, hex.EncodeToString(sum[:6]))
	}
	return strings.Join(parts, ".")
}

// changedMeanwhile reports as an error which values are others now than in the version that a form was filled with.
func changedMeanwhile(version string, d donor.Record) error {
	shown, current := strings.Split(version, "."), strings.Split(versionOf(d), ".")
	var problems []fault.Field
	for i, v := range valuesOf(d) {
		switch {
		case len(shown) == len(current) && shown[i] == current[i]:
		case v.value == "":
			problems = append(problems, fault.Field{Name: v.name, Phrase: "office.donors.error.emptied"})
		default:
			problems = append(problems, fault.Field{Name: v.name, Phrase: "office.donors.error.changed", Args: fault.Args{"value": v.value}})
		}
	}
	return fault.Fields(problems)
}

// detailsOf reads what was typed, by the rules of the donation form. The name of an organisation follows those of a first name.
func (a *Area) detailsOf(r *http.Request, d donor.Record) (p donor.Profile, organisation string, problems []fault.Field) {
	typed := contact.FromForm(r.PostForm.Get)
	if d.Kind == donor.Organisation {
		typed.FirstName, typed.LastName = r.PostForm.Get("organisation_name"), ""
	}
	checked, err := donation.CheckDetails(typed)
	var bad *fault.Error
	if errors.As(err, &bad) {
		problems = bad.Fields
	}
	problems = append(problems, a.CheckCountry(checked.Country)...)
	p = donor.Profile{FirstName: checked.FirstName, LastName: checked.LastName, Details: checked.Details,
		Language: string(phrase.Match(a.Languages, r.PostForm.Get("language"), d.Language))}
	if d.Kind == donor.Organisation {
		organisation, p.FirstName = checked.FirstName, ""
		for i := range problems {
			problems[i].Name = strings.Replace(problems[i].Name, "first_name", "organisation_name", 1)
		}
	}
	return p, organisation, problems
}

// changed returns which fields of a donor a correction changes: their names, for the audit log holds no donor's data.
func changed(d donor.Record, p donor.Profile, organisation string) []string {
	names := []string{}
	for _, field := range []struct{ name, before, after string }{
		{"name", nameOf(d), nameOf(donor.Record{Donor: donor.Donor{FirstName: p.FirstName, LastName: p.LastName, OrganisationName: organisation}})},
		{"phone", d.Phone, p.Phone}, {"language", d.Language, p.Language},
		{"address", strings.Join(linesOf(d.Details), "\n"), strings.Join(linesOf(p.Details), "\n")},
	} {
		if field.before != field.after {
			names = append(names, field.name)
		}
	}
	return slices.Clip(names)
}
