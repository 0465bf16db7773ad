package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPosition(t *testing.T) {
	h := newFixture(t)
	at := func(credit, debit Account, amount int64) Entry {
		e := h.tsne.gift(newID().String(), amount)
		e.Postings = Move(debit, credit, h.tsne.two, amount)
		return e
	}
	none, err := ReadPosition(t.Context(), h.Server, h.tsne.two)
	require.NoError(t, err)
	require.Zero(t, none)
	entries := []Entry{
		at(ContributionsWithout, StripeClearing, 1_000_000), at(ContributionsWithout, PayoutsInTransit, 200_000), at(ContributionsWith, Bank, 30_000),
		at(ContributionsWith, DisputedFundsWithheld, 4_000), at(ContributionsWithout, UndepositedChecks, 500), at(ContributionsWith, PledgesReceivable, 60),
		at(ContributionsWithout, MoneyOfOthers, 7), at(ReserveForEncumbrances, Encumbrances, 800), at(GrantsPayable, GrantsForeign, 9_000), at(ReleasedWithout, ReleasedWith, 9_000),
		at(Bank, StripeClearing, -10_000), // ten thousand paid out to the bank
	}
	want := Position{
		Currency: "USD", WithoutRestrictions: 1_200_507 - 9_000 + 9_000, WithRestrictions: 34_060 - 9_000, Encumbered: 800,
		NotYetCash: 4_567, Clearing: 1_190_000, Cash: 40_000,
	}
	_, err = h.post(t.Context(), entries...)
	require.NoError(t, err)
	for range 3 { // from postings only, from a snapshot only, and again without new postings
		p, err := ReadPosition(t.Context(), h.Server, h.tsne.two)
		require.NoError(t, err)
		require.Equal(t, want, p)
		require.Equal(t, want.WithoutRestrictions+want.WithRestrictions-800-4_567, p.FreeToAward(false))
		require.Equal(t, p.FreeToAward(false)-1_190_000, p.FreeToAward(true))
		require.Equal(t, int64(40_000), p.FreeToPay())
		h.sealAll(t)
		_, err = TakeSnapshots(t.Context(), h.Server, 1)
		require.NoError(t, err)
	}
	h.requireOK(t)
}

// TestSnapshotsAreMadeWhenDue: unsealed postings and few postings make none due, and each snapshot continues from the
// one before.
func TestSnapshotsAreMadeWhenDue(t *testing.T) {
	h := newFixture(t)
	keep := func(after int) (accounts int64) {
		accounts, err := TakeSnapshots(t.Context(), h.Server, after)
		require.NoError(t, err)
		return accounts
	}
	_, err := h.post(t.Context(), h.tsne.gift("pi_1", 100), h.tsne.fee("pi_1", 3)) // six lines
	require.NoError(t, err)
	require.Zero(t, keep(6), "nothing is sealed")
	h.sealAll(t)
	require.Zero(t, keep(7))
	require.EqualValues(t, 5, keep(6))
	require.Zero(t, keep(1))
	_, err = h.post(t.Context(), h.tsne.gift("pi_2", 50), h.grassroots.gift("pi_1", 70))
	require.NoError(t, err)
	require.Zero(t, keep(1))
	h.sealAll(t)
	require.EqualValues(t, 7, keep(2))
	h.requireOK(t)

	// A balance is read from the snapshot: a wrong snapshot shows in the balance and in Verify.
	h.unlock(t)
	_, err = h.Owner.Exec(`UPDATE ledger_snapshot SET amount = amount + 1000 WHERE account_code = '1010' AND n = 3`)
	require.NoError(t, err)
	p, err := ReadPosition(t.Context(), h.Server, h.tsne.one)
	require.NoError(t, err)
	require.EqualValues(t, 147+1000, p.Clearing)
	// An outflow reads it too, and no posting before it.
	tx, err := h.Server.Beginx()
	require.NoError(t, err)
	defer tx.Rollback()
	clearing, err := AccountTx(t.Context(), tx, h.tsne.entity, StripeClearing)
	require.NoError(t, err)
	require.EqualValues(t, 147+1000, clearing[h.tsne.one])
	require.NotContains(t, clearing, h.grassroots.one, "another entity's")
	has, err := RestrictedTx(t.Context(), tx, h.tsne.one)
	require.NoError(t, err)
	require.Equal(t, p.WithRestrictions, has)
}
