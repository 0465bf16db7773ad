package privacy

import (
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/bank"
	"konbit/internal/office/note"
	"konbit/internal/office/offline"
	"konbit/internal/office/thanks"
	"konbit/internal/people/donoraccess"
)

// CopySignInData writes a person's addresses, the changes of those addresses, sign-ins and sessions.
func CopySignInData(kept donoraccess.PersonalData, to Document) error {
	for _, m := range kept.Mailboxes {
		err := to.Item("address", struct {
			Email    string    `json:"email"`
			ProvedAt time.Time `json:"proved_at"`
			Chosen   bool      `json:"gets_the_emails,omitempty"`
			Closed   bool      `json:"lost,omitempty"`
		}{m.Email, m.ProvedAt, m.Chosen, m.Closed})
		if err != nil {
			return err
		}
	}
	err := writeAll(to, "what happened to an address", kept.AddressChanges, nil)
	err = writeAll(to, "sign-in asked for", kept.SignIns, err)
	return writeAll(to, "session", kept.Sessions, err)
}

// writeAll writes items of one kind, unless before is an error.
func writeAll[T any](to Document, kind string, all []T, before error) error {
	if before != nil {
		return before
	}
	for _, one := range all {
		if err := to.Item(kind, one); err != nil {
			return err
		}
	}
	return nil
}

// erasureItem is a request for erasure.
type erasureItem struct {
	Asked     time.Time  `db:"asked_at" json:"asked"`
	By        string     `db:"asked_by" json:"by"`
	Language  string     `db:"language" json:"language"`
	Due       time.Time  `db:"due_at" json:"due"`
	Withdrawn *time.Time `db:"withdrawn_at" json:"withdrawn,omitempty"`
}

// requests writes a donor's choices of emails and requests for erasure.
func (c *copier) requests(of uuid.UUID) error {
	const query = `/* privacy.requests */
		SELECT asked_at, asked_by, language, due_at, withdrawn_at FROM erasure e JOIN erasure_donor d ON d.erasure_id = e.id WHERE d.donor_id = $1 ORDER BY asked_at`
	consents, err := donor.Consents(c.ctx, c.q, of)
	if err != nil {
		return err
	}
	var requests []erasureItem
	if err := sqlx.SelectContext(c.ctx, c.q, &requests, query, of); err != nil {
		return err
	}
	return writeAll(c.to, "wish to be forgotten", requests, writeAll(c.to, "letters wished for", consents, nil))
}

type receiptItem struct {
	Number   string        `json:"number"`
	Gift     string        `json:"gift"`
	Language string        `json:"language"`
	IssuedAt time.Time     `json:"issued_at"`
	Facts    receipt.Facts `json:"facts"`
	Voided   string        `json:"voided,omitempty"` // the reason
}

// receipts writes all receipts of a donation, also void ones.
func (c *copier) receipts(gift uuid.UUID, reference string) error {
	all, err := receipt.ByDonations(c.ctx, c.q, []uuid.UUID{gift})
	if err != nil {
		return err
	}
	for _, r := range all {
		c.subjects = append(c.subjects, r.ID)
		item := receiptItem{r.Reference(), reference, r.Language, r.IssuedAt, r.Facts, ""}
		if r.Voided != nil {
			item.Voided = string(r.Voided.Reason)
		}
		if err := c.to.Item("receipt", item); err != nil {
			return err
		}
	}
	return nil
}

type noteItem struct {
	On   note.Kind `json:"on"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// notes writes what staff noted on a donor or a donation. Who wrote it is not the donor's data.
func (c *copier) notes(on note.Object) error {
	all, err := note.Of(c.ctx, c.q, on)
	if err != nil {
		return err
	}
	for _, n := range all {
		if err := c.to.Item("note of our staff", noteItem{on.Kind, n.Text, n.At}); err != nil {
			return err
		}
	}
	return nil
}

type offlineItem struct {
	Method     string `json:"method"`
	Number     string `json:"number,omitempty"`
	Postmarked string `json:"postmarked_on,omitempty"`
	Described  string `json:"described,omitempty"`
	InReturn   string `json:"in_return,omitempty"`
	Note       string `json:"note,omitempty"`
}

// offline writes what is known of gifts that came without a payment processor, besides their donations.
func (c *copier) offline(gifts []offline.Gift, err error) error {
	for _, g := range gifts {
		if err == nil {
			err = c.to.Item("gift by check, cash, bank, stock or in kind", offlineItem{string(g.Method), g.Number, g.Postmarked, g.Described, g.InReturn,
				g.Note})
		}
	}
	return err
}

type thanksItem struct {
	IssuedAt time.Time      `json:"issued_at"`
	Language string         `json:"language"`
	Facts    thanks.Facts   `json:"facts"`
	Person   *thanks.Person `json:"person"`
}

// thanks writes the gifts in kind that have no value, and the letters of thanks to a donor.
func (c *copier) thanks(of uuid.UUID) error {
	if err := c.offline(offline.OfDonor(c.ctx, c.q, of)); err != nil {
		return err
	}
	letters, err := thanks.OfDonor(c.ctx, c.q, of)
	for _, l := range letters {
		c.subjects = append(c.subjects, l.ID)
		if err == nil {
			err = c.to.Item("letter of thanks", thanksItem{l.IssuedAt, l.Language, l.Facts, l.Person})
		}
	}
	return err
}

type bankLineItem struct {
	Gift      string `json:"gift"`
	Day       string `json:"day"`
	Text      string `json:"text"`
	Reference string `json:"reference,omitempty"`
}

// bankLines writes what our bank wrote about a gift by transfer.
func (c *copier) bankLines(entity uuid.UUID, gift string) error {
	lines, err := bank.LinesOfGift(c.ctx, c.q, entity, gift)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if err := c.to.Item("line of our bank", bankLineItem{gift, l.BookedOn.String(), l.Text, l.Reference}); err != nil {
			return err
		}
	}
	return nil
}
