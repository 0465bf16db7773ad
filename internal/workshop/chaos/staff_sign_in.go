package chaos

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

func init() {
	register(Row{
		Name: "staff-enumeration", No: "T21", Short: 10, Long: 1000, Prove: StaffEnumeration,
		Promise: "a wrong password for staff's addresses and as many unknown ones, in any order: same status, length and headers; in full, " +
			"the times have the same distribution too (Mann-Whitney, p > 0.01)",
	})
	register(Row{
		Name: "staff-guesses", No: "T22", Short: 200, Long: 10_000, Prove: StaffGuesses,
		Promise: "who has the password of a member of staff guesses codes from a new network each time: none signs in, at most thirty an " +
			"hour are compared, and the person signs in an hour later",
	})
}

// staffSignIn is where staff sign in.
const staffSignIn = "/office/sign-in"

// StaffEnumeration signs in with a wrong password, for a member of staff and for an address that nobody has, in an order that
// follows from the seed.
func StaffEnumeration(t testing.TB, run Run) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: run.Seed | 1}})
	member := visitor.NewMember(t, h, "known@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", "")).Email
	addresses := []string{member, "other@example.org"}
	shapes, took := map[string]string{}, map[string][]time.Duration{}
	r := rand.New(rand.NewPCG(run.Seed, 21))
	for i := range run.Count + 5 { // the first five warm up connections and caches
		if i%5 == 0 {
			h.Exec(`DELETE FROM guard_count`) // the limits, which do not depend on the address, have rows of their own
		}
		for _, k := range r.Perm(2) {
			form := url.Values{"email": {addresses[k]}, "password": {"wrong-wrong"}, "code": {"123456"}}
			began := time.Now()
			response, err := program.Client().PostForm(h.URL+staffSignIn, form)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			spent := time.Since(began)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
			if i >= 5 {
				took[addresses[k]] = append(took[addresses[k]], spent)
			}
			shapes[shape(response, body, addresses[k])] = addresses[k]
			require.Len(t, shapes, 1, "%s is answered otherwise than others", addresses[k])
		}
		if i >= 5 {
			run.Progress(1)
		}
	}
	known, unknown := took[addresses[0]], took[addresses[1]]
	p := mannWhitney(known, unknown)
	run.Record("p", fmt.Sprintf("%.3f", p))
	run.Record("medians", fmt.Sprintf("%s and %s", median(known).Round(10*time.Microsecond), median(unknown).Round(10*time.Microsecond)))
	if run.Count >= 1000 {
		require.Greater(t, p, 0.01, "the times are of two kinds")
	}
}

// StaffGuesses guesses codes with the right password.
func StaffGuesses(t testing.TB, run Run) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: run.Seed | 1}})
	m := visitor.NewMember(t, h, "ana@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	r := rand.New(rand.NewPCG(run.Seed, 22))
	compared := func() int { return h.Count(`SELECT last_value FROM staff_code_tries`) }
	signIn := func(code string, from netip.Addr) error {
		_, _, err := h.Staff.SignIn(t.Context(), staff.Attempt{
			Email: m.Email, Password: visitor.StaffPassword, Code: code, From: staff.Client{Address: from},
		})
		return err
	}
	before, limits := compared(), 0
	for n := range run.Count {
		code := fmt.Sprintf("%06d", r.IntN(1_000_000))
		if code == m.Code() {
			continue
		}
		err := signIn(code, netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 1}))
		require.Error(t, err, "a guess signed in")
		var limited staff.Limited
		if errors.As(err, &limited) {
			limits++
		}
		run.Progress(1)
	}
	tried := compared() - before
	run.Record("codes compared", fmt.Sprint(tried))
	run.Record("refused by the limit", fmt.Sprint(limits))
	require.LessOrEqual(t, tried, 30)
	require.Positive(t, tried)
	var limited staff.Limited
	require.ErrorAs(t, signIn(m.Code(), netip.MustParseAddr("192.0.2.1")), &limited, "the person waits too")
	h.Exec(`DELETE FROM guard_count`) // as an hour later
	require.NoError(t, signIn(m.Code(), netip.MustParseAddr("192.0.2.1")))
}
