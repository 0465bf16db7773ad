package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"

	"konbit/internal/workshop/stripefake"
)

// TestThanksTellsNothing requests the page after payment with references that prove nothing. The page shows no donor's
// data and books nothing (PROMISES T3).
func TestThanksTellsNothing(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	paid, unpaid, expired := s.begin("csio", form("Palma")), s.begin("csio", form("Ulises")), s.begin("csio", form("Elena"))
	require.NoError(t, s.Stripe().Pay(paid.session, stripefake.GoodCard))
	s.waitStatus(paid, "settled")
	other := s.begin("grassroots-international", form("Olga"))
	for _, forged := range []string{"", "x", "0", "null", "../../etc", strings.Repeat("A", 22), strings.Repeat("A", 10_000), paid.ref + "A", paid.ref[:21], strings.ToLower(paid.ref), paid.session, "' OR 1=1 --", "%00", "A\x00", "\xff"} {
		got := s.get(thanksPath("csio", startedGift{ref: forged}))
		require.Equal(t, http.StatusNotFound, got.status, "%.30q", forged)
		s.requireNoNames(got)
		require.NotContains(t, got.body, "$20")
	}
	s.Stripe().Advance(25 * time.Hour)
	for _, over := range []startedGift{unpaid, expired, other} {
		s.waitStatus(over, "expired")
	}
	testkit.Eventually(t, waitTimeout, func() error {
		if rows := s.countTraces(); rows.Emails < 1 || rows.Entries < 3 {
			return errors.New("the email, the fee and the sponsor's fee of the gift are not all there yet")
		}
		return nil
	})
	before := s.countTraces()
	for range 100 {
		for _, c := range []struct {
			path, says string
			status     int
		}{
			{thanksPath("grassroots-international", paid), "We cannot find that gift", http.StatusNotFound},
			{thanksPath("csio", other), "We cannot find that gift", http.StatusNotFound},
			{thanksPath("csio", unpaid), "Your gift has not been made", http.StatusOK},
			{thanksPath("csio", expired), "Your gift has not been made", http.StatusOK},
			{thanksPath("csio", expired) + "&redirect_status=succeeded&status=paid&session_id=" + paid.session, "Your gift has not been made", http.StatusOK},
			{thanksPath("csio", paid), "Thank you", http.StatusOK},
		} {
			got := s.get(c.path)
			require.Equal(t, c.status, got.status, c.path)
			require.Contains(t, got.body, c.says, c.path)
			s.requireNoNames(got)
		}
	}
	require.Equal(t, before, s.countTraces(), "a page that is read changes nothing")
}

// TestAgainShowsNothingElsewhere opens the link back to the form in another browser than the one that filled it in.
func TestAgainShowsNothingElsewhere(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	cookies := map[string]*http.Cookie{"none": nil}
	for _, name := range []string{"Palma", "Ulises"} {
		resp, err := script.PostForm(s.URL()+"/give/csio", form(name))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Len(t, resp.Cookies(), 1)
		cookies[name] = resp.Cookies()[0]
		require.True(t, cookies[name].HttpOnly)
	}
	ref, _, _ := strings.Cut(cookies["Palma"].Value, ".")
	_, signature, _ := strings.Cut(cookies["Ulises"].Value, ".")
	for name, forged := range map[string]string{"unsigned": ref, "signed with nothing": ref + ".", "signed for another": ref + "." + signature} {
		cookies[name] = &http.Cookie{Name: cookies["Palma"].Name, Value: forged}
	}
	path := "/give/csio?lang=en&again=" + ref
	for name, cookie := range cookies {
		request, err := http.NewRequest(http.MethodGet, s.URL()+path, nil)
		require.NoError(t, err)
		if cookie != nil {
			request.AddCookie(cookie)
		}
		got := s.read(script.Do(request))
		require.Equal(t, http.StatusOK, got.status, name)
		if name == "Palma" {
			require.Contains(t, got.body, "palma@donor.example", "the browser it was typed in")
			continue
		}
		s.requireNoNames(got)
		require.NotContains(t, got.body, `checked><label for="amount-`, name)
	}
	v := visit(t, s)
	v.open(path)
	require.Equal(t, gift{Fund: "general"}, v.formValues(), "an empty form")
}

// requireNoNames checks that an answer names no donor.
func (s *Stack) requireNoNames(got answer) {
	s.t.Helper()
	for _, personal := range []string{"Palma", "Ulises", "Elena", "Olga", "Tester", "donor.example"} {
		require.NotContains(s.t, got.body, personal)
	}
}

// countTraces counts the rows that a gift can leave.
func (s *Stack) countTraces() (rows struct{ Donations, Steps, Entries, Receipts, Emails, Settled int }) {
	s.t.Helper()
	require.NoError(s.t, s.DB.Owner.Get(&rows, `SELECT (SELECT count(*) FROM donation) AS donations, (SELECT count(*) FROM donation_step) AS steps,
		(SELECT count(*) FROM journal_entry) AS entries, (SELECT count(*) FROM receipt) AS receipts, (SELECT count(*) FROM letter) AS emails,
		(SELECT count(*) FROM donation WHERE status = 'settled') AS settled`))
	return rows
}
