package disputes

import (
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/giftlist"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/dispute"
	"konbit/internal/view/dossier"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// evidenceGet answers the document of all that is known about the disputed gift. Reading it is in the audit log.
func (a *Area) evidenceGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var d dispute.Dispute
	var known map[string][]giftlist.Known
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if d, err = a.disputeOf(r, v, tx); err != nil {
			return err
		}
		if d.DonationID == nil {
			return web.NotFound()
		}
		known, err = giftlist.Evidence(r.Context(), tx, *d.DonationID)
		return err
	})
	if err != nil {
		return err
	}
	document, err := a.document(v, d, known).PDF(a.Fonts)
	if err != nil {
		return err
	}
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		return audit.RecordTx(r.Context(), tx, audit.Act{
			Name: "dispute.evidence_read", EntityID: uuid.NullUUID{UUID: v.Entity.ID, Valid: true}, OrganisationID: v.Scope.OrganisationID,
			ObjectKind: "donation", ObjectID: d.DonationID.String(), After: map[string]string{"dispute": d.Ref},
		})
	})
	if err != nil {
		return err
	}
	web.WriteFile(w, "application/pdf", "dispute-"+d.Ref+".pdf", document)
	return nil
}

// contactOrder is the order of the form's fields.
var contactOrder = []string{"first_name", "last_name", "organisation_name", "email", "phone", "address_line1", "address_line2", "city", "region",
	"postal_code", "country", "note"}

// document says in English, the language of the banks, what is known about a gift.
func (a *Area) document(v web.StaffVisit, d dispute.Dispute, known map[string][]giftlist.Known) dossier.Dossier {
	const lang = phrase.English
	say := func(key string, args ...any) string { return a.View.Phrase(lang, "office.evidence."+key, args...) }
	zone := desk.ZoneOf(v)
	day := func(at *time.Time) string { // of the business clock
		if at == nil {
			return ""
		}
		t := at.In(zone)
		return phrase.Date(lang, t) + ", " + t.Format("15:04 MST")
	}
	moment := func(at *time.Time) string { // of the machine's clock
		if at == nil {
			return ""
		}
		shown := a.Moment(*at, zone)
		return day(&shown)
	}
	payment, form := a.paymentSection(d, known, day), formSection(known, say, moment)
	receipts := dossier.Section{Heading: say("receipts"), Empty: say("receipts_empty")}
	for _, k := range known["receipt"] {
		receipts.Rows = append(receipts.Rows, dossier.Row{Label: k.Name, Value: say("receipt."+k.Value, "moment", day(k.At))})
	}
	emails := dossier.Section{Heading: say("emails"), Empty: say("emails_empty")}
	for _, k := range known["email"] {
		emails.Rows = append(emails.Rows, dossier.Row{Label: moment(k.At), Value: say("email", "kind", a.emailIn(lang, k.Name), "address", k.Value)})
	}
	earlier := dossier.Section{Heading: say("earlier"), Empty: say("earlier_empty")}
	for _, k := range known["earlier"] {
		if minor, err := strconv.ParseInt(k.Value, 10, 64); err == nil {
			earlier.Rows = append(earlier.Rows, dossier.Row{Label: day(k.At), Value: money.New(minor,
				v.Entity.Currency).Format(string(lang)) + " (" + k.Name + ")"})
		}
	}
	return dossier.Dossier{
		Title: say("title", "amount", d.Amount()), Author: v.Entity.LegalName, Language: string(lang), Created: a.Now(),
		Lead:     say("lead", "entity", v.Entity.LegalName, "ein", v.Entity.EIN),
		Sections: []dossier.Section{payment, form, receipts, emails, earlier},
	}
}

// paymentSection says how the gift was given, what was charged, what was given back and what is in dispute.
func (a *Area) paymentSection(d dispute.Dispute, known map[string][]giftlist.Known, moment func(*time.Time) string) dossier.Section {
	const lang = phrase.English
	say := func(key string, args ...any) string { return a.View.Phrase(lang, "office.evidence."+key, args...) }
	s := dossier.Section{Heading: say("payment")}
	add := func(label, value string) { s.Rows = append(s.Rows, dossier.Row{Label: label, Value: value}) }
	amount := func(minor int64) string { return money.New(minor, d.Currency).Format(string(lang)) }
	charged, left := (*time.Time)(nil), int64(0)
	for _, k := range known["charge"] {
		charged, left = k.At, minorOf(k)
		add(say("given"), amount(left))
	}
	add(say("disputed"), amount(d.Minor))
	add(say("charge"), d.ChargeRef)
	add(say("dispute"), d.Ref)
	add(say("gift"), *d.PublicRef)
	for _, k := range known["form"] {
		if k.Value == "plan" {
			add(say("how"), say("renewal", "n", k.Name, "charged", moment(charged), "begun", moment(k.At)))
			continue
		}
		add(say("step.started"), moment(k.At))
		if d.PlanID != nil {
			add(say("recurring"), say("first"))
		}
	}
	add(say("step.settled"), moment(charged))
	for _, k := range known["refund"] {
		left -= minorOf(k)
		add(say("refunded"), say("refund", "amount", amount(minorOf(k)), "moment", moment(k.At), "id", k.Name))
	}
	if len(known["refund"]) > 0 {
		add(say("left"), amount(left))
	}
	return s
}

// minorOf returns the amount of a fact; 0 if it has none.
func minorOf(k giftlist.Known) int64 {
	minor, err := strconv.ParseInt(k.Value, 10, 64)
	if err != nil {
		return 0
	}
	return minor
}

// formSection lists what the donor typed, with the email as it was then.
func formSection(known map[string][]giftlist.Known, say func(key string, args ...any) string, moment func(*time.Time) string) dossier.Section {
	s := dossier.Section{Heading: say("form"), Empty: say("form_empty")}
	for _, k := range known["form"] {
		if k.Value == "plan" {
			s.Heading = say("form_plan")
		}
	}
	typed := map[string]string{}
	for _, k := range known["contact"] {
		typed[k.Name] = k.Value
	}
	moved := known["moved"]
	if len(moved) > 0 && len(typed) > 0 {
		typed["email"] = moved[0].Name
		if typed["email"] == "" {
			typed["email"] = say("email_unknown")
		}
	}
	for _, name := range contactOrder {
		if typed[name] != "" {
			s.Rows = append(s.Rows, dossier.Row{Label: say("contact." + name), Value: typed[name]})
		}
	}
	for _, k := range moved {
		s.Rows = append(s.Rows, dossier.Row{Label: say("moved"), Value: say("moved_to", "address", k.Value, "moment", moment(k.At))})
	}
	return s
}

// emailIn returns what an email is, in words.
func (a *Area) emailIn(lang phrase.Language, kind string) string {
	key := "office.gifts.event.email." + kind
	if !a.View.HasPhrase(key) {
		key = "office.gifts.event.email.other"
	}
	return a.View.Phrase(lang, key)
}
