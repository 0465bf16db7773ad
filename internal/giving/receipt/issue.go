package receipt

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// Request asks for one receipt. Year is the year of the donation's tax date.
type Request struct {
	EntityID, DonationID uuid.UUID
	Year                 int
	Language             string
	Facts                Facts

	replaces *uuid.UUID
}

// Issuer issues receipts.
type Issuer struct {
	Queue *jobs.Queue
	NewID func() uuid.UUID
}

// IssueTx issues a receipt for each request and enqueues its email. It waits for erasures of the donors before it takes
// numbers. The counter's row stays locked until the commit, so call it last. A number is used only if the transaction
// commits, so there are no gaps; a sequence would leave some.
func (d Issuer) IssueTx(ctx context.Context, tx *sqlx.Tx, asked []Request, now time.Time) ([]Receipt, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	if err := LockDonorsTx(ctx, tx, donationIDs(asked)); err != nil {
		return nil, err
	}
	asked = append([]Request(nil), asked...)
	sort.SliceStable(asked, func(i, j int) bool { return series(asked[i]) < series(asked[j]) })
	issued := make([]Receipt, 0, len(asked))
	for len(asked) > 0 {
		n := 1
		for n < len(asked) && series(asked[n]) == series(asked[0]) {
			n++
		}
		last, err := takeNumbersTx(ctx, tx, asked[0].EntityID, asked[0].Year, n)
		if err != nil {
			return nil, err
		}
		for i, a := range asked[:n] {
			issued = append(issued, Receipt{
				ID: d.NewID(), EntityID: a.EntityID, DonationID: a.DonationID, Year: a.Year, Number: last - n + 1 + i,
				Language: a.Language, WordsVersion: a.Facts.wordsVersion(), Facts: a.Facts, IssuedAt: now, Replaces: a.replaces,
			})
		}
		asked = asked[n:]
	}
	if err := insertTx(ctx, tx, issued); err != nil {
		return nil, err
	}
	emailed, err := withAddressTx(ctx, tx, issued) // a donor without an address gets the receipt on paper
	if err != nil {
		return nil, err
	}
	emails := make([]jobs.Job, len(emailed))
	for i, r := range emailed {
		emails[i] = EmailJob{r.ID}
	}
	return issued, d.Queue.EnqueueTx(ctx, tx, emails...)
}

// withAddressTx returns the receipts about which an email can be sent: they name an address, or their donor has one
// now. A gift that was entered without an address may have moved to a donor with one.
func withAddressTx(ctx context.Context, tx *sqlx.Tx, all []Receipt) (some []Receipt, err error) {
	const query = `/* receipt.withAddressTx */ SELECT donations_with_address($1::uuid[])`
	var without, found []uuid.UUID
	for _, r := range all {
		if r.Facts.Email == "" {
			without = append(without, r.DonationID)
		}
	}
	if len(without) > 0 {
		if err := tx.SelectContext(ctx, &found, query, pg.UUIDs(without)); err != nil {
			return nil, err
		}
	}
	for _, r := range all {
		if r.Facts.Email != "" || slices.Contains(found, r.DonationID) {
			some = append(some, r)
		}
	}
	return some, nil
}

func donationIDs(asked []Request) []uuid.UUID {
	ids := make([]uuid.UUID, len(asked))
	for i, a := range asked {
		ids[i] = a.DonationID
	}
	return ids
}

// LockDonorsTx waits for moves of donations to other donors and for erasures of their donors, and excludes both until the
// transaction ends. Call it before locks that everybody needs: of counters, of funds. Later, everybody would wait for the
// erasure of one donor, and two receipts of one person would lock their donors in another order than the erasure. It locks
// the donations before the donors, as a move does.
func LockDonorsTx(ctx context.Context, tx *sqlx.Tx, donations []uuid.UUID) error {
	const query = `/* receipt.LockDonorsTx */ SELECT lock_donors_of($1::uuid[])`
	_, err := tx.ExecContext(ctx, query, pg.UUIDs(donations))
	return err
}

func series(a Request) string { return fmt.Sprintf("%s %d", a.EntityID, a.Year) }

// takeNumbersTx takes the next n numbers of a series and returns the last of them.
func takeNumbersTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, year, n int) (last int, err error) {
	const query = `/* receipt.takeNumbersTx */
		INSERT INTO receipt_counter (entity_id, year, last) VALUES ($1, $2, $3)
		ON CONFLICT (entity_id, year) DO UPDATE SET last = receipt_counter.last + $3
		RETURNING last`
	err = tx.GetContext(ctx, &last, query, entity, year, n)
	return last, err
}

func insertTx(ctx context.Context, tx *sqlx.Tx, receipts []Receipt) error {
	const query = `/* receipt.insertTx */
		INSERT INTO receipt (id, entity_id, year, number, donation_id, language, words_version, facts, issued_at, replaces)
		SELECT r.id, r.entity_id, r.year, r.number, r.donation_id, r.language, r.words_version, r.facts, $1, r.replaces
		  FROM unnest($2::uuid[], $3::uuid[], $4::integer[], $5::integer[], $6::uuid[], $7::text[], $8::jsonb[], $9::uuid[], $10::smallint[])
		       AS r (id, entity_id, year, number, donation_id, language, facts, replaces, words_version)`
	rows := pg.NewColumns(9)
	for _, r := range receipts {
		facts, err := json.Marshal(r.Facts)
		if err != nil {
			return err
		}
		rows.Add(r.ID, r.EntityID, r.Year, r.Number, r.DonationID, r.Language, string(facts), r.Replaces, r.WordsVersion)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(receipts[0].IssuedAt)...)
	return err
}
