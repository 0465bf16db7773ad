package donors

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/owner"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/office/donorfile"
	"konbit/internal/office/note"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// file is all that is known about a donor, as the visit's person may see it.
type file struct {
	donor.Record
	Sums       donorfile.Sums
	Erasure    *privacy.Standing // nil: nobody asked for one
	Gifts      []donorfile.Gift  // a page of them
	Next       *donorfile.GiftPlace
	Plans      []plan.Plan
	Receipts   []receipt.Receipt // of these gifts, newest first
	Statements []statement.Statement
	Deliveries []mail.Delivery // of emails about these gifts, the plans and the statements, newest first
	Contacts   map[uuid.UUID]donation.Contact
	Consents   []donor.Consent
	Wanted     map[string]bool // kinds of optional email
	Moves      []owner.Change
	Notes      desk.Notes
}

// mostDeliveries is how many emails the page shows.
const mostDeliveries = 100

// donorGet shows the whole record of a donor, and notes in the audit log that it was opened.
func (a *Area) donorGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var f file
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		f, err = a.fileIn(r, v, tx)
		return err
	})
	if err != nil {
		return err
	}
	gifts := a.giftTable(v, f)
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		return record(r, v, tx, audit.Act{Name: "donor.opened", OrganisationID: v.Scope.OrganisationID, ObjectKind: "donor", ObjectID: f.ID.String()})
	})
	if err != nil {
		return err
	}
	if done, err := a.WriteFile(w, r, v, "gifts-"+f.ID.String(), gifts); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "donor", v.Language, a.donorPage(r, v, f, gifts))
}

// fileIn reads a donor's file. tx is a transaction of Desk.Read.
func (a *Area) fileIn(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (f file, err error) {
	ctx := r.Context()
	if f.Record, f.Sums, err = a.recordIn(r, v, tx); err != nil {
		return f, err
	}
	var place donorfile.GiftPlace
	desk.ReadCursor(r, &place)
	if f.Gifts, f.Next, err = donorfile.Gifts(ctx, tx, scopeOf(v), f.ID, place, desk.PageSize); err != nil {
		return f, err
	}
	ids := make([]uuid.UUID, len(f.Gifts))
	for i, g := range f.Gifts {
		ids[i] = g.ID
	}
	subjects := slices.Clone(ids) // a tribute card is about its gift
	for _, read := range []func() error{
		func() (err error) { f.Erasure, err = privacy.StandingOf(ctx, tx, f.ID); return err },
		func() error {
			plans, err := recurring.OfDonor(ctx, tx, f.ID)
			f.Plans = slices.DeleteFunc(plans, func(p plan.Plan) bool { return v.Organisation != nil && p.OrganisationID != v.Organisation.ID })
			return err
		},
		func() (err error) { f.Receipts, err = receipt.ByDonations(ctx, tx, ids); return err },
		func() (err error) {
			if v.Organisation == nil { // a statement is over all organisations of the entity
				f.Statements, err = statement.OfDonors(ctx, tx, []uuid.UUID{f.ID})
			}
			return err
		},
		func() (err error) { f.Contacts, err = donation.ContactsOf(ctx, tx, ids); return err },
		func() (err error) { f.Consents, err = donor.Consents(ctx, tx, f.ID); return err },
		func() (err error) { f.Wanted, err = donor.EmailPreferences(ctx, tx, f.ID); return err },
		func() (err error) { f.Moves, err = owner.ChangesOf(ctx, tx, f.ID, desk.PageSize); return err },
		func() (err error) {
			f.Notes, err = a.NotesOn(r, v, tx, note.Object{Kind: note.Donor, ID: f.ID})
			return err
		},
		func() error { return f.readDeliveries(ctx, tx, ids, subjects) },
	} {
		if err := read(); err != nil {
			return f, err
		}
	}
	slices.Reverse(f.Receipts)
	return f, nil
}

// readDeliveries reads the deliveries of emails about gifts and subjects, and about the plans and statements that were read.
func (f *file) readDeliveries(ctx context.Context, tx *sqlx.Tx, gifts, subjects []uuid.UUID) error {
	for _, r := range f.Receipts {
		subjects = append(subjects, r.ID)
	}
	for _, s := range f.Statements {
		subjects = append(subjects, s.ID)
	}
	if f.Erasure != nil {
		subjects = append(subjects, f.Erasure.ID)
	}
	notices, err := notice.OfDonations(ctx, tx, gifts)
	if err != nil {
		return err
	}
	for _, n := range notices {
		subjects = append(subjects, n.ID)
	}
	for _, p := range f.Plans {
		events, err := recurring.Events(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		for _, e := range events {
			subjects = append(subjects, e.ID)
		}
	}
	about, err := mail.Deliveries(ctx, tx, subjects)
	if err != nil {
		return err
	}
	for _, some := range about {
		f.Deliveries = append(f.Deliveries, some...)
	}
	slices.SortFunc(f.Deliveries, func(x, y mail.Delivery) int {
		return cmp.Or(y.OrderedAt.Compare(x.OrderedAt), cmp.Compare(fmt.Sprint(x.EmailID), fmt.Sprint(y.EmailID)))
	})
	f.Deliveries = f.Deliveries[:min(len(f.Deliveries), mostDeliveries)]
	return nil
}

// receiptOf returns the newest receipt of a gift; nil if it has none.
func (f file) receiptOf(gift uuid.UUID) *receipt.Receipt {
	for i := range f.Receipts {
		if f.Receipts[i].DonationID == gift && f.Receipts[i].ReplacedBy == nil {
			return &f.Receipts[i]
		}
	}
	return nil
}

// deliveryOf returns the newest delivery of an email about a subject; nil if there is none.
func (f file) deliveryOf(subject uuid.UUID) *mail.Delivery {
	for i := range f.Deliveries {
		if f.Deliveries[i].Subject == subject {
			return &f.Deliveries[i]
		}
	}
	return nil
}

// addresses returns the postal addresses typed with gifts that differ from the donor's own, newest first, each once, with the day
// of the newest gift.
func (f file) addresses(zone *time.Location) (all []typedAddress) {
	for _, g := range f.Gifts {
		c, ok := f.Contacts[g.ID]
		if lines := linesOf(c.Details); ok && len(lines) > 0 && !slices.Equal(lines, linesOf(f.Details)) &&
			!slices.ContainsFunc(all, func(t typedAddress) bool { return slices.Equal(t.Lines, lines) }) {
			all = append(all, typedAddress{lines, g.ChargedAt.In(zone)})
		}
	}
	return all
}

// namedCountries returns addresses with the names of their countries.
func (a *Area) namedCountries(v web.StaffVisit, all []typedAddress) []typedAddress {
	for i := range all {
		all[i].Lines = a.View.Postal(v.Language, all[i].Lines)
	}
	return all
}

// typedAddress is a postal address that was typed with a gift.
type typedAddress struct {
	Lines []string
	On    time.Time
}

// fundName returns the name of a fund in the visit's language; empty if it is not known.
func fundName(v web.StaffVisit, id uuid.UUID) string {
	f, err := v.Catalog.Fund(id)
	if err != nil {
		return ""
	}
	return f.Name.In(v.Language)
}
