package e2e

import (
	"net/http"
	"path"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
)

// TestDoubleSubmit submits the form twice, as fast as a person can click.
func TestDoubleSubmit(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	v.open("/give/csio?lang=en")
	v.fill(rosa())
	v.do(chromedp.DoubleClick("#submit", chromedp.ByID), chromedp.WaitVisible("#card_number", chromedp.ByID))
	require.Equal(t, 1, s.count(`SELECT count(*) FROM donation`))
	require.Len(t, s.Stripe().State().CheckoutSessions, 1)
	v.pay(goodCard)
	v.waitFor("Thank you")
	s.requireOneGift()
}

// TestSameFormAtOnce sends one form many times at once to two servers.
func TestSameFormAtOnce(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Servers: 2})
	once := form("Twice")
	once.Set("form", uuid.NewString())
	answers := make([]answer, 10)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			answers[i] = s.read(script.PostForm(s.Servers()[i%2].URL()+"/give/csio", once))
		})
	}
	all.Wait()
	for _, got := range answers {
		require.Equal(t, http.StatusSeeOther, got.status, got.body)
		require.Equal(t, answers[0].location, got.location, "every submission leads to the same payment page")
	}
	require.Equal(t, 1, s.count(`SELECT count(*) FROM donation`))
	require.Len(t, s.Stripe().State().CheckoutSessions, 1)

	require.NoError(t, s.Stripe().Pay(path.Base(answers[0].location), stripefake.GoodCard))
	s.requireOneGift()
	again := s.post("/give/csio", once)
	require.Equal(t, http.StatusSeeOther, again.status)
	require.Contains(t, again.location, "/give/csio/thanks", "a paid form leads to its thanks")
	require.Len(t, s.Stripe().State().CheckoutSessions, 1)
}

// TestChangedMind returns from the payment page and chooses another amount. The first page can no longer be paid.
func TestChangedMind(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	v.open("/give/csio?lang=en")
	v.fill(rosa())
	v.submit()
	first := v.location()
	v.navigate(func() { v.click(".leave a") })
	v.fill(gift{Amount: "30"})
	v.submit()
	require.NotEqual(t, first, v.location())
	require.Contains(t, v.body(), "$30.00")

	s.requireOneOpenPage(v.location())
	require.ErrorContains(t, s.Stripe().Pay(path.Base(first), stripefake.GoodCard), "expired")
	v.pay(goodCard)
	v.waitFor("Thank you")
	require.Contains(t, v.body(), "$30")
	s.requireOneGift()
	require.Equal(t, 3000, s.count(`SELECT amount FROM donation WHERE status = 'settled'`))
}

// requireOneOpenPage checks that exactly one payment page can be paid: the one at the given address.
func (s *Stack) requireOneOpenPage(address string) {
	s.t.Helper()
	var open []string
	for _, session := range objects[struct{ ID, Status string }](s, s.Stripe().State().CheckoutSessions) {
		if session.Status == "open" {
			open = append(open, session.ID)
		}
	}
	require.Equal(s.t, []string{path.Base(address)}, open)
}
