package donors

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/owner"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// receiptIn returns the receipt that the address names, with its gift and donor; fault.NotFound if the visit's person may not see
// it. The gift may have moved from the donor to another since the page was shown.
func (a *Area) receiptIn(r *http.Request, v web.StaffVisit) (d donor.Record, gift donation.Donation, issued receipt.Receipt, err error) {
	id, err := idIn(r, "receipt")
	if err != nil {
		return d, gift, issued, err
	}
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if d, _, err = a.recordIn(r, v, tx); err != nil {
			return err
		}
		if issued, err = receipt.ByID(r.Context(), tx, id); err != nil {
			return err
		}
		if gift, err = donation.ByID(r.Context(), tx, issued.DonationID); err != nil || gift.DonorID == d.ID {
			return err
		}
		moves, err := owner.ChangesOf(r.Context(), tx, d.ID, desk.PageSize)
		if err == nil && !slices.ContainsFunc(moves, func(m owner.Change) bool { return m.Donation == gift.ID && m.From == d.ID }) {
			err = web.NotFound()
		}
		return err
	})
	if err == nil && (d.IsErased() || v.Organisation != nil && gift.OrganisationID != v.Organisation.ID) {
		err = web.NotFound()
	}
	return d, gift, issued, err
}

// receiptGet shows the forms that send a receipt again, move it to another address, or correct it, and notes in the audit log that
// the receipt was opened.
func (a *Area) receiptGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	d, gift, issued, err := a.receiptIn(r, v)
	if err == nil && gift.DonorID != d.ID {
		return a.done(w, r, v, gift.DonorID, "receipt_moved")
	}
	if err == nil {
		err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
			return record(r, v, tx, audit.Act{
				Name: "receipt.opened", OrganisationID: uuid.NullUUID{UUID: gift.OrganisationID, Valid: true}, ObjectKind: "receipt",
				ObjectID: issued.ID.String(),
			})
		})
	}
	if err != nil {
		return err
	}
	return a.showReceipt(w, r, v, d, issued, nil)
}

func (a *Area) showReceipt(w http.ResponseWriter, r *http.Request, v web.StaffVisit, d donor.Record, issued receipt.Receipt, problems []fault.Field) error {
	b := a.formsOf(r, v, problems)
	facts := issued.Facts
	pairs := []Pair{
		{a.say(v, "office.donors.column.receipt"), []string{issued.Reference()}},
		{a.say(v, "office.donors.column.amount"), []string{facts.Amount.Format(string(v.Language))}},
		{a.say(v, "office.donors.column.state"), []string{a.receiptState(v, issued).Text}},
		{a.say(v, "office.donors.column.named"), append([]string{facts.DonorName()}, facts.DonorAddress...)},
	}
	heading := a.say(v, "office.donors.receipt_heading")
	if issued.ReplacedBy != nil {
		return a.showAct(w, r, b, d, heading, pairs, a.say(v, "office.donors.receipt_replaced"))
	}
	var all []ActForm
	if issued.IsValid() && d.Email != "" {
		all = append(all, b.new("resend", a.say(v, "office.donors.form.resend_text", "email", d.Email)))
	}
	if isOfEntity(v) {
		f := b.new("redirect", a.say(v, "office.donors.form.redirect_text"), a.say(v, "office.donors.form.redirect_moves"))
		f.Fields = append(f.Fields, b.field("redirect", "email", "", view.Field{Type: "email", Required: true}))
		all = append(all, f)
		if issued.IsValid() {
			f := b.new("correct", a.say(v, "office.donors.form.correct_text"), a.emailTo(v, d))
			if facts.DonorOrganisation != "" {
				f.Fields = append(f.Fields, b.field("correct", "organisation_name", facts.DonorOrganisation, view.Field{Required: true}))
			} else {
				f.Fields = append(f.Fields, b.field("correct", "first_name", facts.FirstName, view.Field{Required: true}),
					b.field("correct", "last_name", facts.LastName, view.Field{HideOptional: true}))
			}
			all = append(all, f)
		}
	}
	instead := ""
	if len(all) == 0 {
		instead = a.say(v, "office.donors.receipt_nothing")
	}
	return a.showAct(w, r, b, d, heading, pairs, instead, all...)
}

// receiptPost does what one of the forms asks for.
func (a *Area) receiptPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	d, gift, issued, err := a.receiptIn(r, v)
	if err != nil {
		return err
	}
	if gift.DonorID != d.ID {
		return a.done(w, r, v, gift.DonorID, "receipt_moved")
	}
	f, problems, err := formOf(r)
	if err != nil {
		return err
	}
	if f.Do != "resend" && (!isOfEntity(v) || !slices.Contains([]string{"redirect", "correct"}, f.Do)) {
		return web.NotFound()
	}
	to, correction := web.StoredEmail(r.PostForm.Get("email")), receipt.Correction{}
	switch f.Do {
	case "redirect":
		bad := web.CheckEmail(to)
		if bad == nil && to == d.Email {
			bad = []fault.Field{{Name: "email", Phrase: "office.donors.error.same_address"}}
		}
		problems = append(bad, problems...)
	case "correct":
		var bad []fault.Field
		correction, bad = correctionOf(r, issued)
		problems = append(bad, problems...)
	}
	if problems != nil {
		return a.showReceipt(w, r, v, d, issued, problems)
	}
	if f.Do == "redirect" && !isConfirmed(r) {
		return a.checkRedirect(w, r, v, d, gift, issued, to)
	}
	said, id := "", d.ID
	switch f.Do {
	case "resend":
		said, err = "receipt_sent", a.resend(r, v, f, gift, issued)
	case "redirect":
		said = "receipt_moved"
		id, err = a.redirect(r, v, f, d, issued, to)
	default:
		said, err = "receipt_corrected", a.correct(r, v, f, issued, correction)
	}
	if problems = fieldsOf(explained(err)); problems != nil {
		return a.showReceipt(w, r, v, d, issued, problems)
	}
	if err != nil {
		return err
	}
	return a.done(w, r, v, id, said)
}

// checkRedirect shows what the move of a gift to another address does, before it is done.
func (a *Area) checkRedirect(
	w http.ResponseWriter, r *http.Request, v web.StaffVisit, d donor.Record, gift donation.Donation, issued receipt.Receipt, to string,
) error {
	whose, what := a.say(v, "office.donors.check.nobody"), a.say(v, "office.donors.check.one_gift")
	err := a.Read(r, v, func(tx *sqlx.Tx) error {
		known, err := donor.ByEmails(r.Context(), tx, []string{to})
		for _, k := range known {
			if name := strings.TrimSpace(k.FirstName + " " + k.LastName); k.EntityID == v.Entity.ID {
				whose = cmp.Or(k.OrganisationName, name, a.say(v, "office.donors.nameless"))
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if gift.PlanID != nil || gift.Frequency != string(org.Once) {
		what = a.say(v, "office.donors.check.plan")
	}
	b := a.formsOf(r, v, nil)
	texts := []string{a.say(v, "office.donors.check.redirect", "email", to), a.say(v, "office.donors.check.address")}
	if d.Email != "" {
		texts = append(texts, a.say(v, "office.donors.check.notice", "email", d.Email))
	}
	pairs := []Pair{
		{a.say(v, "office.donors.column.receipt"), []string{issued.Reference()}}, {a.say(v, "office.donors.check.moves"), []string{what}},
		{a.say(v, "office.donors.check.from"), []string{nameOf(d), d.Email}}, {a.say(v, "office.donors.check.to"), []string{whose, to}},
	}
	return a.showAct(w, r, b, d, a.say(v, "office.donors.check.redirect_heading"), pairs, "",
		b.check("redirect", []string{"email"}, texts...))
}

// correctionOf reads the name that a receipt must have. Nothing was corrected if it has it already.
func correctionOf(r *http.Request, issued receipt.Receipt) (c receipt.Correction, bad []fault.Field) {
	typed := func(name string) string { return typedText(r.PostForm.Get(name)) }
	name, first := "first_name", typed("first_name")
	if issued.Facts.DonorOrganisation != "" {
		name, first = "organisation_name", typed("organisation_name")
		c.Organisation = first
	} else {
		c.FirstName, c.LastName = first, typed("last_name")
	}
	switch {
	case first == "":
		bad = append(bad, fault.Field{Name: name, Phrase: "office.donors.error.name"})
	case c == receipt.Correction{Organisation: issued.Facts.DonorOrganisation} && c.Organisation != "",
		c == receipt.Correction{FirstName: issued.Facts.FirstName, LastName: issued.Facts.LastName} && c.Organisation == "":
		bad = append(bad, fault.Field{Name: name, Phrase: "office.donors.error.same_name"})
	}
	return c, bad
}

// resend sends the receipt's email again to its donor, unchanged.
func (a *Area) resend(r *http.Request, v web.StaffVisit, f form, gift donation.Donation, issued receipt.Receipt) error {
	email, err := a.Resender.EmailOf(r.Context(), issued)
	if err != nil {
		return err
	}
	scope := staff.Scope{EntityID: v.Entity.ID, OrganisationID: uuid.NullUUID{UUID: gift.OrganisationID, Valid: true}}
	return a.act(r, v, f, scope, func(tx *sqlx.Tx) (audit.Act, error) {
		return audit.Act{Name: "receipt.sent_again", ObjectKind: "receipt", ObjectID: issued.ID.String()},
			a.Resender.ResendTx(r.Context(), tx, email, v.Actor())
	})
}

// redirect moves the receipt's gift, or its plan with all payments, to the donor with an address, and sends the receipt there. It
// returns that donor; the one before if the form was sent before.
func (a *Area) redirect(r *http.Request, v web.StaffVisit, f form, d donor.Record, issued receipt.Receipt, to string) (id uuid.UUID, err error) {
	id = d.ID
	err = a.act(r, v, f, entityOf(v), func(tx *sqlx.Tx) (audit.Act, error) {
		done := audit.Act{Name: "receipt.redirected", ObjectKind: "receipt", ObjectID: issued.ID.String(), Before: map[string]any{"donor": d.ID}}
		if err := a.Resender.RedirectTx(r.Context(), tx, issued, to, v.Actor()); err != nil {
			return done, err
		}
		moved, err := donation.ByID(r.Context(), tx, issued.DonationID)
		id, done.After = moved.DonorID, map[string]any{"donor": moved.DonorID}
		return done, err
	})
	return id, err
}

// correct replaces the receipt by one with another name.
func (a *Area) correct(r *http.Request, v web.StaffVisit, f form, issued receipt.Receipt, c receipt.Correction) error {
	return a.act(r, v, f, entityOf(v), func(tx *sqlx.Tx) (audit.Act, error) {
		done := audit.Act{Name: "receipt.corrected", ObjectKind: "receipt", ObjectID: issued.ID.String(), Before: map[string]any{"number": issued.Reference()}}
		replacement, err := a.Receipts.CorrectTx(r.Context(), tx, issued.ID, c, v.Actor(), a.Now())
		done.After = map[string]any{"receipt": replacement.ID, "number": replacement.Reference()}
		return done, err
	})
}

// explained returns errors of the services as faults with words.
func explained(err error) error {
	for known, phrase := range map[error]string{
		mail.ErrWaiting: "office.donors.error.waiting", mail.ErrNoRecipient: "office.donors.error.no_recipient",
		mail.ErrTooSoon:        "office.donors.error.too_soon",
		mail.ErrReceiptVoid:    "office.donors.error.void",
		receipt.ErrReceiptVoid: "office.donors.error.void", receipt.ErrCorrection: "office.donors.error.correction",
		owner.ErrErased: "office.donors.error.erased", owner.ErrTooMany: "office.donors.error.too_many",
		plan.ErrWrongStatus: "office.donors.error.plan_state", planlink.ErrRequestWaits: "office.donors.error.plan_waits",
	} {
		if errors.Is(err, known) {
			return fault.Wrap(fault.Conflict, phrase, err)
		}
	}
	return err
}
