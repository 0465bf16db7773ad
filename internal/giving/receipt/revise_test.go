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

func issueReceipt(t *testing.T, h *program.Program) receipt.Receipt {
	t.Helper()
	d := h.SettledGift(program.ValidForm())
	return latestReceipt(t, h, d.ID)
}

func latestReceipt(t *testing.T, h *program.Program, gift uuid.UUID) receipt.Receipt {
	t.Helper()
	all, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{gift})
	require.NoError(t, err)
	return all[gift]
}

func newIssuer(h *program.Program) receipt.Issuer {
	return receipt.Issuer{Queue: h.Queue, NewID: program.NewID}
}

func replace(t *testing.T, h *program.Program, r receipt.Replacement) (receipt.Receipt, error) {
	t.Helper()
	var made []receipt.Receipt
	err := pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		made, err = newIssuer(h).ReplaceTx(t.Context(), tx, []receipt.Replacement{r}, noon)
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
		return newIssuer(h).VoidTx(t.Context(), tx, []receipt.Void{{Of: id, Change: why}}, noon)
	})
}

// factsAfterRefund returns what a receipt says after part of its gift was returned, in minor units.
func factsAfterRefund(r receipt.Receipt, returned int64) receipt.Facts {
	f := r.Facts
	remains := money.New(f.Amount.Minor-returned, f.Amount.Currency)
	line := f.Lines[0]
	line.Amount = remains
	f.Lines, f.Returned = []receipt.Line{line}, &receipt.Returned{Charged: f.Amount, Amount: money.New(returned, f.Amount.Currency), On: "2026-12-02"}
	f.Amount = remains
	return f
}

func emailJobs(h *program.Program) []string {
	return h.Lines(`SELECT kind || ' ' || (args->>'receipt_id') FROM river_job ORDER BY id`)
}

func TestReplacementHasTheNextNumberAndTheOldDoesNotChange(t *testing.T) {
	h := program.New(t, program.Options{})
	original := issueReceipt(t, h)
	replaced, err := replace(t, h, receipt.Replacement{Of: original.ID, Change: refund, Facts: factsAfterRefund(original, 500)})
	require.NoError(t, err)
	require.Equal(t, original.Number+1, replaced.Number)
	require.Equal(t, original.Year, replaced.Year, "the year is that of the charge")

	old, err := receipt.ByNumber(t.Context(), h.DB.Server, original.Reference())
	require.NoError(t, err)
	require.Equal(t, original.Facts, old.Facts)
	require.Equal(t, &refund, old.Voided)
	require.Equal(t, &replaced.ID, old.ReplacedBy)
	now := latestReceipt(t, h, original.DonationID)
	require.Equal(t, replaced.ID, now.ID)
	require.True(t, now.IsValid())
	require.Equal(t, &original.ID, now.Replaces)
	require.Equal(t, original.Reference(), now.Facts.Replaces.Number)
	require.Equal(t, int64(1500), now.Facts.Amount.Minor)
	require.Equal(t, []string{"receipt_letter " + original.ID.String(), "receipt_letter " + replaced.ID.String()}, emailJobs(h))

	for _, change := range []func() error{
		func() error { return void(t, h, original.ID, refund) },
		func() error {
			_, err := replace(t, h, receipt.Replacement{Of: original.ID, Change: refund, Facts: factsAfterRefund(original, 500)})
			return err
		},
		func() error {
			_, err := replace(t, h, receipt.Replacement{Of: replaced.ID, Change: receipt.Change{Reason: receipt.Reinstated, On: "2026-12-02"}, Facts: replaced.Facts})
			return err
		},
	} {
		require.ErrorIs(t, change(), receipt.ErrReceiptVoid)
	}
}

func TestVoidReceiptIsReplacedOnlyIfReinstated(t *testing.T) {
	h := program.New(t, program.Options{})
	original := issueReceipt(t, h)
	lost := receipt.Change{Reason: receipt.Dispute, On: "2026-12-02", By: "dp_1"}
	require.NoError(t, void(t, h, original.ID, lost))
	require.NoError(t, void(t, h, original.ID, lost), "a repeat changes nothing")
	require.Equal(t, []string{"receipt_letter " + original.ID.String(), "receipt_void_letter " + original.ID.String()}, emailJobs(h))
	require.False(t, latestReceipt(t, h, original.DonationID).IsValid())

	_, err := replace(t, h, receipt.Replacement{Of: original.ID, Change: receipt.Change{Reason: receipt.Corrected, On: "2026-12-02"}, Facts: original.Facts})
	require.ErrorIs(t, err, receipt.ErrReceiptVoid, "a correction does not replace a void receipt")
	reinstated, err := replace(t, h, receipt.Replacement{Of: original.ID, Change: receipt.Change{Reason: receipt.Reinstated, On: "2026-12-09", By: "dp_1"}, Facts: original.Facts})
	require.NoError(t, err)
	require.True(t, latestReceipt(t, h, original.DonationID).IsValid())
	require.Equal(t, receipt.Reinstated, reinstated.Facts.Replaces.Reason)
}

func TestCorrectionChangesOnlyGivenFields(t *testing.T) {
	h := program.New(t, program.Options{})
	original := issueReceipt(t, h)
	part, err := replace(t, h, receipt.Replacement{Of: original.ID, Change: refund, Facts: factsAfterRefund(original, 500)})
	require.NoError(t, err)
	var corrected receipt.Receipt
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		corrected, err = newIssuer(h).CorrectTx(t.Context(), tx, part.ID, receipt.Correction{LastName: "Pérez Ruiz"}, "command line: ana", noon)
		return err
	}))
	want := part.Facts
	want.LastName = "Pérez Ruiz"
	want.Replaces = corrected.Facts.Replaces
	require.Equal(t, want, corrected.Facts, "the receipt still says what was returned")
	require.Equal(t, part.Reference(), corrected.Facts.Replaces.Number)
	require.Equal(t, []string{"re_1 refund", "command line: ana correction"},
		h.Lines(`SELECT ordered_by || ' ' || reason FROM receipt_void ORDER BY voided_at, reason DESC`))
}

func TestReplacementFiguresMustAgree(t *testing.T) {
	h := program.New(t, program.Options{})
	original := issueReceipt(t, h)
	for name, wrong := range map[string]func(*receipt.Facts){
		"lines":             func(f *receipt.Facts) { f.Lines = original.Facts.Lines },
		"currency":          func(f *receipt.Facts) { f.Lines[0].Amount.Currency = "EUR" },
		"nothing left":      func(f *receipt.Facts) { f.Amount.Minor, f.Lines = 0, nil },
		"returned too much": func(f *receipt.Facts) { f.Returned.Amount.Minor = 600 },
		"not stated":        func(f *receipt.Facts) { f.Returned = nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := factsAfterRefund(original, 500)
			wrong(&f)
			_, err := replace(t, h, receipt.Replacement{Of: original.ID, Change: refund, Facts: f})
			require.Error(t, err)
		})
	}
	require.True(t, latestReceipt(t, h, original.DonationID).IsValid())
}

// TestAtMostOneValidReceiptOfAGift: concurrent replacements make one receipt, and the constraints refuse rows written
// by hand.
func TestAtMostOneValidReceiptOfAGift(t *testing.T) {
	h := program.New(t, program.Options{})
	original := issueReceipt(t, h)
	other := h.SettledGift(program.ValidForm())
	var made, refused int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := replace(t, h, receipt.Replacement{Of: original.ID, Change: refund, Facts: factsAfterRefund(original, 500)})
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

	valid := latestReceipt(t, h, original.DonationID)
	const insertRow = `INSERT INTO receipt (id, entity_id, year, number, donation_id, replaces, language, words_version, facts, issued_at)
		SELECT gen_random_uuid(), entity_id, year, $4, $2, $3, language, words_version, facts, issued_at FROM receipt WHERE id = $1`
	for name, wrong := range map[string][]any{
		"a second first one":          {valid.ID, original.DonationID, nil},
		"in place of one that stands": {valid.ID, original.DonationID, valid.ID},
		"in place of one replaced":    {valid.ID, original.DonationID, original.ID},
		"of another gift":             {valid.ID, other.ID, original.ID},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.DB.Server.Exec(insertRow, append(wrong, 1000)...)
			require.Error(t, err)
		})
	}
	for _, change := range []string{`UPDATE receipt_void SET reason = 'refund'`, `DELETE FROM receipt_void`, `UPDATE receipt SET replaces = NULL`} {
		_, err := h.DB.Owner.Exec(change)
		require.Error(t, err, change)
	}
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt r WHERE donation_id = $1
		AND NOT EXISTS (SELECT 1 FROM receipt_void v WHERE v.receipt_id = r.id)`, original.DonationID))
	require.Zero(t, h.Count(`SELECT count(*) FROM receipt_counter c WHERE last <> (SELECT count(*) FROM receipt r WHERE (r.entity_id, r.year) = (c.entity_id, c.year))`),
		"numbers without gaps")
}

func TestFind(t *testing.T) {
	h := program.New(t, program.Options{})
	r := issueReceipt(t, h)
	issueReceipt(t, h)
	for text, n := range map[string]int{
		r.Reference(): 1, "pérez": 2, "PÉREZ": 2, "ana@EXAMPLE": 2, "tsne-2": 2, "%": 0, "_": 0, "": 0, "nobody": 0,
	} {
		t.Run("find "+text, func(t *testing.T) {
			found, err := receipt.Find(t.Context(), h.DB.Server, text, nil, 10)
			require.NoError(t, err)
			require.Len(t, found, n)
		})
	}
	found, err := receipt.Find(t.Context(), h.DB.Server, "", []uuid.UUID{r.ID}, 10)
	require.NoError(t, err)
	require.Len(t, found, 1)
	for _, wrong := range []string{"", "TSNE", "TSNE-2026", "TSNE-2026-999999", "AINA-2026-000001", "TSNE-2026-000001'"} {
		_, err := receipt.ByNumber(t.Context(), h.DB.Server, wrong)
		require.Error(t, err, wrong)
	}
}
