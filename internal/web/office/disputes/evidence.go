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
	err = staff.InTx(r.Context(), a.DB, v.Session, func(tx *sqlx.Tx) error {
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
	moment := func(at *time.Time) string {
		if at == nil {
			return ""
		}
		t := a.Moment(*at, zone)
		return phrase.Date(lang, t) + ", " + t.Format("15:04 MST")
	}
	form := dossier.Section{Heading: say("form"), Empty: say("form_empty")}
	typed := map[string]string{}
	for _, k := range known["contact"] {
		typed[k.Name] = k.Value
	}
	for _, name := range contactOrder {
		if typed[name] != "" {
			form.Rows = append(form.Rows, dossier.Row{Label: say("contact." + name), Value: typed[name]})
		}
	}
	payment := dossier.Section{Heading: say("payment"), Rows: []dossier.Row{
		{Label: say("disputed"), Value: d.Amount().Format(string(lang))}, {Label: say("charge"), Value: d.ChargeRef}, {Label: say("dispute"),
			Value: d.Ref}, {Label: say("gift"), Value: *d.PublicRef}}}
	if d.PlanID != nil {
		payment.Rows = append(payment.Rows, dossier.Row{Label: say("recurring"), Value: say("yes")})
	}
	for _, k := range known["step"] {
		key := "office.evidence.step." + k.Name
		if a.View.HasPhrase(key) {
			payment.Rows = append(payment.Rows, dossier.Row{Label: a.View.Phrase(lang, key), Value: moment(k.At)})
		}
	}
	receipts := dossier.Section{Heading: say("receipts"), Empty: say("receipts_empty")}
	for _, k := range known["receipt"] {
		receipts.Rows = append(receipts.Rows, dossier.Row{Label: k.Name, Value: say("receipt."+k.Value, "moment", moment(k.At))})
	}
	emails := dossier.Section{Heading: say("emails"), Empty: say("emails_empty")}
	for _, k := range known["email"] {
		emails.Rows = append(emails.Rows, dossier.Row{Label: moment(k.At), Value: say("email", "kind", k.Name, "address", k.Value)})
	}
	earlier := dossier.Section{Heading: say("earlier"), Empty: say("earlier_empty")}
	for _, k := range known["earlier"] {
		if minor, err := strconv.ParseInt(k.Value, 10, 64); err == nil {
			earlier.Rows = append(earlier.Rows, dossier.Row{Label: moment(k.At), Value: money.New(minor,
				v.Entity.Currency).Format(string(lang)) + " (" + k.Name + ")"})
		}
	}
	return dossier.Dossier{
		Title: say("title", "amount", d.Amount()), Author: v.Entity.LegalName, Language: string(lang), Created: a.Now(),
		Lead:     say("lead", "entity", v.Entity.LegalName, "ein", v.Entity.EIN),
		Sections: []dossier.Section{payment, form, receipts, emails, earlier},
	}
}
