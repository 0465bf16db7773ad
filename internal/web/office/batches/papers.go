package batches

import (
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/mail/paper"
	"konbit/internal/office/offline"
	"konbit/internal/office/thanks"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/view"
	"konbit/internal/web"
)

// papersGet writes the receipts and letters of a posted batch whose donors have no address for emails, as one document for
// envelopes with a window, in the order of the rows. It is an audit entry. Without such a paper it answers 404.
func (a *Area) papersGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	b, rows, err := a.batchOf(r, v)
	if err != nil {
		return err
	}
	if b.PostedAt == nil {
		return web.NotFound()
	}
	var papers []view.Printed
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		papers, err = papersOf(r, tx, rows)
		return err
	})
	if err != nil {
		return err
	}
	if len(papers) == 0 {
		return web.NotFound()
	}
	document, err := a.View.PrintedPDF(view.PrintedPapers{
		Title: a.say(v, "office.batch.title", "n", b.N), Language: v.Language, Donee: mail.DoneeOf(v.Entity), Date: b.ReceivedOn.In(time.UTC),
	}, papers)
	if err != nil {
		return err
	}
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		return audit.RecordTx(r.Context(), tx, audit.Act{
			Name: "batch.printed", EntityID: uuid.NullUUID{UUID: v.Entity.ID,
				Valid: true}, OrganisationID: b.OrganisationID, ObjectKind: "gift_batch", ObjectID: b.ID.String(),
			After: map[string]int{"papers": len(papers)},
		})
	})
	if err != nil {
		return err
	}
	web.WriteFile(w, "application/pdf", fmt.Sprintf("batch-%d-papers.pdf", b.N), document)
	return nil
}

// papersOf returns what is printed of rows that are gifts.
func papersOf(r *http.Request, tx *sqlx.Tx, rows []offline.Row) ([]view.Printed, error) {
	var donations, gifts []uuid.UUID
	for _, row := range rows {
		if row.GiftID.Valid {
			gifts, donations = append(gifts, row.GiftID.UUID), append(donations, offline.DonationOf(row))
		}
	}
	receipts, err := receipt.ByDonations(r.Context(), tx, donations)
	if err != nil {
		return nil, err
	}
	letters, err := thanks.OfGifts(r.Context(), tx, gifts)
	if err != nil {
		return nil, err
	}
	var papers []view.Printed
	for i, gift := range gifts {
		for _, issued := range receipts {
			if issued.DonationID != donations[i] || !issued.IsValid() || issued.Facts.Email != "" || paper.DonorName(issued.Facts) == "" {
				continue
			}
			words, err := paper.ReceiptWords(issued)
			if err != nil {
				return nil, err
			}
			papers = append(papers, view.Printed{Receipt: &words, Postal: issued.Facts.DonorAddress})
		}
		for _, letter := range letters {
			if letter.GiftID != gift || letter.Person == nil || letter.Person.Email != "" {
				continue
			}
			words, err := paper.ThankYouWords(letter)
			if err != nil {
				return nil, err
			}
			papers = append(papers, view.Printed{ThankYou: &words})
		}
	}
	return papers, nil
}
