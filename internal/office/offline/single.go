package offline

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/receipt"
)

// Single is a gift that is posted by itself: a batch of one row.
type Single struct {
	Batch    Batch // its id, scope, day, currency, account and submission; count and total are those of the row
	Typed    Typed
	Meaning  Meaning
	Replaces *receipt.Replaced // the receipt of the gift that it corrects; nil: it corrects none, or that had none
}

// PostSingleTx posts a gift by itself, as PostTx does a batch. The same submission again is the same gift: PostSingleTx returns its row and
// false.
func (s Poster) PostSingleTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, one Single) (Row, bool, error) {
	one.Batch.Counted, one.Batch.TotalMinor = 1, one.Meaning.Minor
	b, err := BeginTx(ctx, tx, one.Batch)
	if err != nil {
		return Row{}, false, err
	}
	if b.PostedAt == nil {
		if _, err := StoreTx(ctx, tx, b, 0, uuid.NewSHA1(one.Batch.Submission, []byte("row")), one.Typed, one.Meaning); err != nil {
			return Row{}, false, err
		}
	}
	done, err := s.postTx(ctx, tx, catalog, b.ID, "", one.Replaces)
	if err != nil {
		return Row{}, false, err
	}
	rows, err := RowsOf(ctx, tx, b.ID)
	if err == nil && len(rows) != 1 {
		err = ErrOtherForm
	}
	if err != nil {
		return Row{}, false, err
	}
	return rows[0], done, nil
}

// RowOf returns the row that became a gift, with its batch; fault.NotFound if q sees none.
func RowOf(ctx context.Context, q sqlx.QueryerContext, g Gift) (Batch, Row, error) {
	if !g.BatchID.Valid {
		return Batch{}, Row{}, errNoBatch
	}
	b, err := ByID(ctx, q, g.BatchID.UUID)
	if err != nil {
		return b, Row{}, err
	}
	rows, err := RowsOf(ctx, q, b.ID)
	for _, r := range rows {
		if r.N == g.RowN {
			return b, r, err
		}
	}
	if err == nil {
		err = errNoBatch
	}
	return b, Row{}, err
}

// Meaning returns what a row means, as it was stored.
func (r Row) Meaning() Meaning {
	m := Meaning{
		Donor: Choice{ID: r.DonorID.UUID, SameAs: r.SameAs}, Method: r.Method, GivenBy: r.GivenBy, Minor: r.Minor, ReturnMinor: r.ReturnMinor, Number: r.Number,
		SoftCredit: r.SoftCredit, Parts: r.Parts,
	}
	if at, err := time.Parse(time.DateOnly, r.Postmarked); err == nil {
		m.PostmarkedOn = ledger.DateOf(at, time.UTC)
	}
	return m
}

// IsDonorField reports whether a field names a new donor.
func IsDonorField(name string) bool { return slices.Contains(donorFields, name) }
