package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestBackButton returns from the payment page with the browser's back button and submits again. The same values give
// the same gift; another amount replaces the first gift.
func TestBackButton(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	v.open("/give/csio?lang=en")
	v.fill(rosa())
	v.submit()
	first := v.location()
	v.do(chromedp.NavigateBack(), chromedp.WaitVisible("#give", chromedp.ByID))
	require.Equal(t, rosa(), v.formValues(), "the browser gives back what was typed")
	v.submit()
	require.Equal(t, first, v.location())
	require.Equal(t, 1, s.count(`SELECT count(*) FROM donation`))

	v.do(chromedp.NavigateBack(), chromedp.WaitVisible("#give", chromedp.ByID))
	v.fill(gift{Amount: "30"})
	v.submit()
	s.requireOneOpenPage(v.location())
	v.pay(goodCard)
	v.waitFor("Thank you")
	s.requireOneGift()
	require.Equal(t, 3000, s.count(`SELECT amount FROM donation WHERE status = 'settled'`))
}

// TestSharedTablet: several people use one browser. Each person's gift is separate, paid or not.
func TestSharedTablet(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	tablet := &http.Client{Jar: jar, CheckRedirect: script.CheckRedirect}
	pages := map[string]bool{}
	for _, name := range []string{"Palma", "Ulises", "Elena"} {
		got := s.read(tablet.PostForm(s.URL()+"/give/csio", form(name)))
		require.Equal(t, http.StatusSeeOther, got.status, got.body)
		pages[got.location] = true
	}
	require.Len(t, pages, 3)
	require.Equal(t, 3, s.count(`SELECT count(*) FROM donation WHERE status = 'started'`))

	again := s.read(tablet.PostForm(s.URL()+"/give/csio", form("Elena")))
	require.True(t, pages[again.location], "the last one's second submission is the same gift")
	other := s.read(tablet.PostForm(s.URL()+"/give/grassroots-international", form("Elena")))
	require.False(t, pages[other.location], "a gift to others is another")
	require.Equal(t, 4, s.count(`SELECT count(*) FROM donation WHERE status = 'started'`))
}
