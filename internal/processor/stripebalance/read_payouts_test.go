package stripebalance_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/processor/payout"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/workshop/testkit/program"
)

// payouts lists the stored payouts, as "kind status amount descriptor members_stored".
func payouts(h *program.Program) []string {
	return h.Lines(`SELECT format('%s %s %s %s %s', kind, status, amount, descriptor, members_stored) FROM payout ORDER BY created_at, kind`)
}

// members lists the sources of a payout's stored members.
func members(h *program.Program, ref string) []string {
	return h.Lines(`SELECT b.type FROM payout p JOIN payout_member m ON m.payout_id = p.id
		JOIN balance_transaction b ON b.id = m.transaction_id AND b.entity_id = m.entity_id WHERE p.payout_ref = $1 ORDER BY 1`, ref)
}

func TestPayoutsAreStoredWithTheirMembers(t *testing.T) {
	h := program.New(t, program.Options{})
	gift := settledGift(t, h)
	_, err := h.Fake.AdjustBalance("tsne", "stripe_fee", "usd", -100)
	require.NoError(t, err)
	h.Fake.Advance(72 * time.Hour)
	refs, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	importAll(t, h)
	require.Equal(t, []string{"automatic paid 1812  t"}, payouts(h))
	require.Equal(t, []string{"charge", "stripe_fee"}, members(h, refs[0]))
	require.Zero(t, h.Count(`SELECT count(*) FROM payout WHERE arrival_on <> created_at::date`), "the stand-in's payouts arrive at once")

	today := h.Fake.Now()
	stored, err := payout.List(t.Context(), h.DB.Server, gift.EntityID, today.AddDate(0, 0, -1), today.AddDate(0, 0, 1))
	require.NoError(t, err)
	require.Len(t, stored, 1)
	require.Len(t, stored[0].Members, 2)
	require.Equal(t, []any{refs[0], payout.Automatic, int64(1812), true}, []any{stored[0].Ref, stored[0].Kind, stored[0].Amount, stored[0].MembersStored})

	require.NoError(t, h.Fake.FailPayout(refs[0]))
	importAll(t, h)
	require.Equal(t, []string{"automatic failed 1812  t"}, payouts(h), "a failed payout keeps its members")
	importAll(t, h)
	require.Equal(t, []string{"automatic failed 1812  t"}, payouts(h))
}

func TestManualAndInstantPayoutsHaveNoMembers(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	h.Fake.Advance(72 * time.Hour)
	manual, err := h.Fake.ManualPayout("tsne", 500, false)
	require.NoError(t, err)
	_, err = h.Fake.ManualPayout("tsne", 300, true)
	require.NoError(t, err)
	importAll(t, h)
	require.ElementsMatch(t, []string{"manual paid 500 BY HAND f", "instant paid 300 BY HAND f"}, payouts(h))
	require.Empty(t, members(h, manual))
	require.Zero(t, h.Count(`SELECT count(*) FROM payout_member`))
}

// forgetful is a source that does not know any payout any more.
type forgetful struct{ stripebalance.Source }

func (forgetful) Payout(context.Context, org.LegalEntity, string) (*payout.Payout, error) {
	return nil, nil
}

// TestEarlierPayoutsAreRead: a payout that was booked before there was a table payout, and that migration 00045 filled in,
// is read by a sweep; one that Stripe no longer knows is marked as read, and asked for once only.
func TestEarlierPayoutsAreRead(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	h.Fake.Advance(72 * time.Hour)
	refs, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	importAll(t, h)
	row := h.Lines(`SELECT row_to_json(b)::text FROM balance_transaction b WHERE type = 'payout'`)
	require.Len(t, row, 1)
	asBefore := func() { // the rows that the migration leaves
		h.Exec(`ALTER TABLE payout_member DISABLE TRIGGER insert_only`)
		h.Exec(`DELETE FROM payout_member`)
		h.Exec(`DELETE FROM payout`)
		h.Exec(`ALTER TABLE balance_transaction DISABLE TRIGGER insert_only`)
		h.Exec(`DELETE FROM balance_transaction WHERE type = 'payout'`)
		h.Exec(`INSERT INTO balance_transaction SELECT * FROM json_populate_record(NULL::balance_transaction, $1::json)`, row[0])
		h.Exec(`INSERT INTO payout (id, entity_id, processor, payout_ref, amount, currency, arrival_on, status, created_at)
			SELECT gen_random_uuid(), entity_id, 'stripe', source_id, -net, currency, (available_on AT TIME ZONE 'UTC')::date, 'in_transit', created_at
			  FROM balance_transaction WHERE type = 'payout'`)
	}
	asBefore()
	importAll(t, h)
	require.Equal(t, []string{"automatic paid 1912  t"}, payouts(h))
	require.Equal(t, []string{"charge"}, members(h, refs[0]))

	asBefore()
	c := h.Collector
	c.Source = forgetful{h.Stripe}
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{" paid 1912  f"}, payouts(h))
	require.Zero(t, h.Count(`SELECT count(*) FROM payout WHERE read_at IS NULL`))
	h.RequireNoFindings()
}
