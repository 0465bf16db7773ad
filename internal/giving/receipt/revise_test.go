package receipt_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

var (
	noon   = time.Date(2026, 12, 2, 17, 0, 0, 0, time.UTC)
	refund = receipt.Change{Reason: receipt.Refund, On: "2026-12-02", By: "re_1"}
)

func issued(t *testing.T, h *program.Program) receipt.Receipt {
	t.Helper()
	d := h.SettledGift(program.ValidForm())
	return latest(t, h, d.ID)
}

func latest(t *testing.T, h *program.Program, gift uuid.UUID) receipt.Receipt {
	t.Helper()
	all, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{gift})
	require.NoError(t, err)
	return all[gift]
}

func desk(h *program.Program) receipt.Issuer {
	return receipt.Issuer{Queue: h.Queue, NewID: program.NewID}
}

func replace(t *testing.T, h *program.Program, r receipt.Replacement) (receipt.Receipt, error) {
	t.Helper()
	var made []receipt.Receipt
	err := pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		made, err = desk(h).ReplaceTx(t.Context(), tx, []receipt.Replacement{r}, noon)
		return err
	})
	if err != nil {
		return receipt.Receipt{}, err
	}
	return made[0], nil
}

func void(t *testing.T, h *program.Program, id uuid.UUID, why receipt.Change) error {
	t.Helper()
	return pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		return desk(h).VoidTx(t.Context(), tx, []receipt.Void{{Of: id, Change: why}}, noon)
	})
}

// less is what a receipt says after part of its gift went back.
func less(r receipt.Receipt, returned int64) receipt.Facts {
	f := r.Facts
	remains := money.New(f.Amount.Minor-returned, f.Amount.Currency)
	line := f.Lines[0]
	line.Amount = remains
	f.Lines, f.Returned = []receipt.Line{line}, &receipt.Returned{Charged: f.Amount, Amount: money.New(returned, f.Amount.Currency), On: "2026-12-02"}
	f.Amount = remains
	return f
}

func letters(h *program.Program) []string {
	return h.Lines(`SELECT kind || ' ' || (args->>'receipt_id') FROM river_job ORDER BY id`)
}

func TestReplacementTakesTheNextNumberAndTheOldStaysAsItWas(t *testing.T) {
	h := program.New(t, program.Options{})
	was := issued(t, h)
	is, err := replace(t, h, receipt.Replacement{Of: was.ID, Change: refund, Facts: less(was, 500)})
	require.NoError(t, err)
	require.Equal(t, was.Number+1, is.Number)
	require.Equal(t, was.Year, is.Year, "the year is that of the charge")

	old, err := receipt.ByNumber(t.Context(), h.DB.Server, was.Reference())
	require.NoError(t, err)
	require.Equal(t, was.Facts, old.Facts)
	require.Equal(t, &refund, old.Voided)
	require.Equal(t, &is.ID, old.ReplacedBy)
	now := latest(t, h, was.DonationID)
	require.Equal(t, is.ID, now.ID)
	require.True(t, now.IsValid())
	require.Equal(t, &was.ID, now.Replaces)
	require.Equal(t, was.Reference(), now.Facts.Replaces.Number)
	require.Equal(t, int64(1500), now.Facts.Amount.Minor)
	require.Equal(t, []string{"receipt_letter " + was.ID.String(), "receipt_letter " + is.ID.String()}, letters(h))

	for _, change := range []func() error{
		func() error { return void(t, h, was.ID, refund) },
		func() error {
			_, err := replace(t, h, receipt.Replacement{Of: was.ID, Change: refund, Facts: less(was, 500)})
			return err
		},
		func() error {
			_, err := replace(t, h, receipt.Replacement{Of: is.ID, Change: receipt.Change{Reason: receipt.Reinstated, On: "2026-12-02"}, Facts: is.Facts})
			return err
		},
	} {
		require.ErrorIs(t, change(), receipt.ErrReceiptVoid)
	}
}

func TestVoidReceiptStandsAgainOnlyWhenThePaymentCameBack(t *testing.T) {
	h := program.New(t, program.Options{})
	was := issued(t, h)
	lost := receipt.Change{Reason: receipt.Dispute, On: "2026-12-02", By: "dp_1"}
	require.NoError(t, void(t, h, was.ID, lost))
	require.NoError(t, void(t, h, was.ID, lost), "a repeat changes nothing")
	require.Equal(t, []string{"receipt_letter " + was.ID.String(), "receipt_void_letter " + was.ID.String()}, letters(h))
	require.False(t, latest(t, h, was.DonationID).IsValid())

	_, err := replace(t, h, receipt.Replacement{Of: was.ID, Change: receipt.Change{Reason: receipt.Corrected, On: "2026-12-02"}, Facts: was.Facts})
	require.ErrorIs(t, err, receipt.ErrReceiptVoid, "a correction brings nothing back")
	is, err := replace(t, h, receipt.Replacement{Of: was.ID, Change: receipt.Change{Reason: receipt.Reinstated, On: "2026-12-09", By: "dp_1"}, Facts: was.Facts})
	require.NoError(t, err)
	require.True(t, latest(t, h, was.DonationID).IsValid())
	require.Equal(t, receipt.Reinstated, is.Facts.Replaces.Reason)
}

func TestCorrectionChangesOnlyWhatWasWrong(t *testing.T) {
	h := program.New(t, program.Options{})
	was := issued(t, h)
	part, err := replace(t, h, receipt.Replacement{Of: was.ID, Change: refund, Facts: less(was, 500)})
	require.NoError(t, err)
	var is receipt.Receipt
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		is, err = desk(h).CorrectTx(t.Context(), tx, part.ID, receipt.Correction{LastName: "Pérez Ruiz"}, "command line: ana", noon)
		return err
	}))
	want := part.Facts
	want.LastName = "Pérez Ruiz"
	want.Replaces = is.Facts.Replaces
	require.Equal(t, want, is.Facts, "what was returned is still said")
	require.Equal(t, part.Reference(), is.Facts.Replaces.Number)
	require.Equal(t, []string{"re_1 refund", "command line: ana correction"},
		h.Lines(`SELECT ordered_by || ' ' || reason FROM receipt_void ORDER BY voided_at, reason DESC`))
}

func TestReplacementsFiguresMustAgree(t *testing.T) {
	h := program.New(t, program.Options{})
	was := issued(t, h)
	for name, wrong := range map[string]func(*receipt.Facts){
		"lines":             func(f *receipt.Facts) { f.Lines = was.Facts.Lines },
		"currency":          func(f *receipt.Facts) { f.Lines[0].Amount.Currency = "EUR" },
		"nothing left":      func(f *receipt.Facts) { f.Amount.Minor, f.Lines = 0, nil },
		"returned too much": func(f *receipt.Facts) { f.Returned.Amount.Minor = 600 },
		"not told":          func(f *receipt.Facts) { f.Returned = nil },
	} {
		f := less(was, 500)
		wrong(&f)
		_, err := replace(t, h, receipt.Replacement{Of: was.ID, Change: refund, Facts: f})
		require.Error(t, err, name)
	}
	require.True(t, latest(t, h, was.DonationID).IsValid())
}

// TestAtMostOneReceiptOfAGiftStands: whoever comes at once, and whatever is written by hand.
func TestAtMostOneReceiptOfAGiftStands(t *testing.T) {
	h := program.New(t, program.Options{})
	was := issued(t, h)
	other := h.SettledGift(program.ValidForm())
	var made, refused int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := replace(t, h, receipt.Replacement{Of: was.ID, Change: refund, Facts: less(was, 500)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else {
				refused++
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, made)
	require.Equal(t, 7, refused)

	standing := latest(t, h, was.DonationID)
	const byHand = `INSERT INTO receipt (id, entity_id, year, number, donation_id, replaces, language, words_version, facts, issued_at)
		SELECT gen_random_uuid(), entity_id, year, $4, $2, $3, language, words_version, facts, issued_at FROM receipt WHERE id = $1`
	for name, wrong := range map[string][]any{
		"a second first one":          {standing.ID, was.DonationID, nil},
		"in place of one that stands": {standing.ID, was.DonationID, standing.ID},
		"in place of one replaced":    {standing.ID, was.DonationID, was.ID},
		"of another gift":             {standing.ID, other.ID, was.ID},
	} {
		_, err := h.DB.Server.Exec(byHand, append(wrong, 1000)...)
		require.Error(t, err, name)
	}
	for _, change := range []string{`UPDATE receipt_void SET reason = 'refund'`, `DELETE FROM receipt_void`, `UPDATE receipt SET replaces = NULL`} {
		_, err := h.DB.Owner.Exec(change)
		require.Error(t, err, change)
	}
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt r WHERE donation_id = $1
		AND NOT EXISTS (SELECT 1 FROM receipt_void v WHERE v.receipt_id = r.id)`, was.DonationID))
	require.Zero(t, h.Count(`SELECT count(*) FROM receipt_counter c WHERE last <> (SELECT count(*) FROM receipt r WHERE (r.entity_id, r.year) = (c.entity_id, c.year))`),
		"numbers without gaps")
}

func TestFind(t *testing.T) {
	h := program.New(t, program.Options{})
	r := issued(t, h)
	issued(t, h)
	for text, n := range map[string]int{
		r.Reference(): 1, "pérez": 2, "PÉREZ": 2, "ana@EXAMPLE": 2, "tsne-2": 2, "%": 0, "_": 0, "": 0, "nobody": 0,
	} {
		found, err := receipt.Find(t.Context(), h.DB.Server, text, nil, 10)
		require.NoError(t, err)
		require.Len(t, found, n, text)
	}
	found, err := receipt.Find(t.Context(), h.DB.Server, "", []uuid.UUID{r.ID}, 10)
	require.NoError(t, err)
	require.Len(t, found, 1)
	for _, wrong := range []string{"", "TSNE", "TSNE-2026", "TSNE-2026-999999", "AINA-2026-000001", "TSNE-2026-000001'"} {
		_, err := receipt.ByNumber(t.Context(), h.DB.Server, wrong)
		require.Error(t, err, wrong)
	}
}
