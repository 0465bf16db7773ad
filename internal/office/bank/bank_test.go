package bank_test

import (
	"bytes"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donor"
	"konbit/internal/office/bank"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/payout"
	testbank "konbit/internal/workshop/testkit/bank"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// world is a program with an account and a person of finance.
type world struct {
	*program.Program
	t       *testing.T
	account bank.Account
	person  *office.Person
	service bank.Service
}

func newWorld(t *testing.T, o program.Options) world {
	t.Helper()
	h := program.New(t, o)
	return world{h, t, testbank.AddAccount(t, h, "tsne", "checking", bank.HoldsAll), office.Add(t, h.DB.Owner, "Fin",
		office.Role{Role: "finance", Entity: "tsne"}),
		testbank.NewService()}
}

func (w world) line(text string) bank.Part {
	return bank.Part{LineID: uuid.MustParse(w.Lines(`SELECT id::text FROM bank_line WHERE text = '` + text + `'`)[0])}
}

func (w world) match(text string, items ...bank.Chosen) (id uuid.UUID, err error) {
	w.t.Helper()
	err = bank.Explained(w.person.InTx(w.t, w.DB.Server, func(tx *sqlx.Tx) (err error) {
		id, err = w.service.MatchTx(w.t.Context(), tx, w.CurrentCatalog(), w.account.EntityID,
			bank.Order{Account: w.account.Slug, Lines: []bank.Part{w.line(text)}, Items: items})
		return err
	}))
	return id, err
}

func (w world) undo(id uuid.UUID) error {
	return bank.Explained(w.person.InTx(w.t, w.DB.Server, func(tx *sqlx.Tx) error {
		return w.service.UndoTx(w.t.Context(), tx, w.account.EntityID, id, "by mistake")
	}))
}

// TestPayoutArrives: a payout takes its line, by the funds in transit; it failed afterwards, and what went back takes the same funds.
func TestPayoutArrives(t *testing.T) {
	t.Parallel()
	w := newWorld(t, program.Options{})
	w.SettledGift(program.ValidForm())
	_, err := w.Collector.Sweep(t.Context())
	require.NoError(t, err)
	ref, err := w.Fake.ManualPayout("tsne", 900, false)
	require.NoError(t, err)
	w.DeliverNew()
	_, err = w.Collector.Sweep(t.Context())
	require.NoError(t, err)
	waiting, err := payout.AwaitBank(t.Context(), w.DB.Server, w.account.EntityID)
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	inTransit := func() []string {
		return w.Lines(`SELECT f.code || ' ' || sum(p.amount) FROM posting p JOIN fund f ON f.id = p.fund_id WHERE p.account_code = '1015' GROUP BY f.code HAVING sum(p.amount) <> 0 ORDER BY 1`)
	}
	before := inTransit()
	require.NotEmpty(t, before)
	testbank.Store(t, w.Program, w.person, w.account, "20261005 9.00 STRIPE TRANSFER", "20261020 -9.00 STRIPE RETURN")
	item := bank.Chosen{Item: "payout:" + waiting[0].Ref}
	_, err = w.match("STRIPE RETURN", item)
	require.ErrorIs(t, err, bank.ErrUnequal)
	id, err := w.match("STRIPE TRANSFER", item)
	require.NoError(t, err)
	require.Empty(t, inTransit())
	require.Equal(t, before, w.Lines(`SELECT f.code || ' ' || sum(p.amount) FROM posting p JOIN fund f ON f.id = p.fund_id WHERE p.account_code = '1100' GROUP BY f.code ORDER BY 1`))
	_, err = w.match("STRIPE RETURN", bank.Chosen{Item: "payout_returned:" + waiting[0].Ref})
	require.True(t, fault.Is(err, fault.Conflict), "it did not go back: %v", err)
	require.NoError(t, w.undo(id))
	require.Equal(t, before, inTransit())
	require.ErrorIs(t, w.undo(id), bank.ErrUndone)
	w.RequireNoFindings()

	_, err = w.match("STRIPE TRANSFER", item)
	require.NoError(t, err)
	require.NoError(t, w.Fake.FailPayout(ref))
	w.DeliverNew()
	_, err = w.Collector.Sweep(t.Context())
	require.NoError(t, err)
	_, err = w.match("STRIPE RETURN", bank.Chosen{Item: "payout_returned:" + waiting[0].Ref})
	require.NoError(t, err)
	require.Empty(t, inTransit())
	require.Empty(t, w.Lines(`SELECT fund_id::text FROM posting WHERE account_code = '1100' GROUP BY fund_id HAVING sum(amount) <> 0`))
}

// TestOwnTransfer: the first of two lines books a transfer between two accounts, the second one clears it; the first match stays as long as the
// second.
func TestOwnTransfer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, program.Options{NoStripe: true})
	savings := testbank.AddAccount(t, w.Program, "tsne", "savings", bank.HoldsAll)
	testbank.Store(t, w.Program, w.person, w.account, "20261005 -50.00 TO SAVINGS")
	testbank.Store(t, w.Program, w.person, savings, "20261006 50.00 FROM CHECKING")
	first, err := w.match("TO SAVINGS", bank.Chosen{Item: "transfer:savings", Amount: -5000})
	require.NoError(t, err)
	other := w
	other.account = savings
	second, err := other.match("FROM CHECKING", bank.Chosen{Item: "transfer:checking", Amount: 5000})
	require.NoError(t, err)
	require.Equal(t, []string{"checking -5000", "savings 5000"}, w.Lines(`SELECT dimensions ->> 'bank' || ' ' || sum(amount) FROM posting GROUP BY dimensions ->> 'bank' ORDER BY 1`))
	require.ErrorIs(t, w.undo(first), bank.ErrOtherSide)
	require.NoError(t, w.undo(second))
	require.NoError(t, w.undo(first))
	w.RequireNoFindings()
}

// TestClosedMonth: what was booked in a closed month stays.
func TestClosedMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, program.Options{NoStripe: true})
	testbank.Store(t, w.Program, w.person, w.account, "20261005 -12.00 MONTHLY FEE", "20261006 -1.00 LATE FEE")
	id, err := w.match("MONTHLY FEE", bank.Chosen{Item: "fee", Amount: -1200})
	require.NoError(t, err)
	w.Exec(`UPDATE books SET closed_through = '2026-10-31'`)
	require.ErrorIs(t, w.undo(id), bank.ErrClosed)
	late, err := w.match("LATE FEE", bank.Chosen{Item: "fee", Amount: -100})
	require.NoError(t, err, "a late line is booked on the first open day")
	require.Equal(t, []string{"2026-11-01"}, w.Lines(`SELECT entry_date::text FROM journal_entry WHERE source_id = '`+late.String()+`'`))
	p, err := bank.ProofOf(t.Context(), w.DB.Server, w.account, bank.Month{Year: 2026, Month: 10})
	require.NoError(t, err)
	require.Equal(t, bank.ProofSums{Elsewhere: -100}, p.Sums)
	require.NoError(t, w.undo(late))
}

// TestErasedDonor: a line that is a gift has the bank's words about the donor: the data copy has them, and an erasure empties them. The same file
// again adds no line.
func TestErasedDonor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, program.Options{NoStripe: true})
	d := testbank.TransferGift(t, w.Program, "checking", 0, 2500, 5)
	testbank.Store(t, w.Program, w.person, w.account, "20261005 25.00 ZELLE FROM ROSA LIMA", "20261006 -12.00 FEE")
	_, err := w.match("ZELLE FROM ROSA LIMA", bank.Chosen{Item: "gift:" + d.PublicRef})
	require.NoError(t, err)
	donors, err := donor.ByIDs(t.Context(), w.DB.Server, []uuid.UUID{d.DonorID})
	require.NoError(t, err)
	var text bytes.Buffer
	to := privacy.NewJSON(&text)
	_, err = privacy.Copy(t.Context(), w.DB.Server, w.CurrentCatalog(), donors, to)
	require.NoError(t, err)
	require.NoError(t, to.End())
	require.Contains(t, text.String(), "ZELLE FROM ROSA LIMA")

	e, err := w.Privacy.Request(t.Context(), privacy.ErasureRequest{Donors: []uuid.UUID{d.DonorID}, Language: "en", RequestedBy: "office"})
	require.NoError(t, err)
	w.AgeErasures()
	require.NoError(t, w.Privacy.Erase(t.Context(), e.ID))
	require.Equal(t, []string{"", "FEE"}, w.Lines(`SELECT text FROM bank_line ORDER BY booked_on`))
	testbank.Store(t, w.Program, w.person, w.account, "20261006 -12.00 FEE", "20261005 25.00 ZELLE FROM ROSA LIMA")
	require.Equal(t, 2, w.Count(`SELECT count(*) FROM bank_line`))
	w.RequireNoFindings()
}
