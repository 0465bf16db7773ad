package planlink_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/planlink"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/workshop/testkit"
)

// TestFreshLinksAreCountedByNetwork: a person with a link that ended cannot fill the donor's mailbox without end, and
// cannot use up the donor's own requests: a known browser may always ask, another network once an hour.
func TestFreshLinksAreCountedByNetwork(t *testing.T) {
	db := testkit.DB(t)
	g := guard.New(db.Server, keyring.New([]byte("secret")), guard.Limits{}, time.Now)
	link := planlink.Link{DonorID: uuid.New()}
	ask := func(third int, known bool) bool {
		t.Helper()
		allowed, wait, err := g.AllowFirst(t.Context(), link.FreshLimits(netip.AddrFrom4([4]byte{203, 0, byte(third), 9}), known)...)
		require.NoError(t, err)
		require.Equal(t, allowed, wait == 0)
		return allowed
	}
	stranger := func(hours int) (emails int) {
		for range hours {
			for range 10 {
				if ask(1, false) {
					emails++
				}
			}
			db.Owner.MustExec(`DELETE FROM guard_count WHERE until < now() + interval '2 hours'`) // what windows of an hour count
		}
		return emails
	}
	require.Equal(t, 4, stranger(1), "three, and one more of the network")
	require.Equal(t, 4, stranger(1))
	require.Equal(t, 3, stranger(3), "after six in a day, one an hour of a network")
	require.True(t, ask(2, false), "the donor, in another network")
	require.False(t, ask(2, false))
	for range 3 {
		require.True(t, ask(1, true), "the donor's known browser, in whatever network")
	}
	others := 0
	for i := range 50 {
		if ask(10+i, false) {
			others++
		}
	}
	require.Equal(t, 20-12, others, "at most 20 emails a day")
	db.Owner.MustExec(`DELETE FROM guard_count WHERE until < now() + interval '2 hours'`)
	require.True(t, ask(1, true), "a known browser is not counted with the others")
}
