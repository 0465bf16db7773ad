package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// decline pays with a card that Stripe declines.
func (v *visitor) decline() {
	v.t.Helper()
	v.pay(declinedCard)
	require.Contains(v.t, v.body(), "declined")
	require.Equal(v.t, "Rosa N", eval[string](v, `document.getElementById("name").value`))
}

// TestDeclinedThenPaid pays with another card on the same payment page.
func TestDeclinedThenPaid(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	v.open("/give/csio?lang=en")
	v.fill(rosa())
	v.submit()
	v.decline()
	v.decline()
	v.pay(goodCard)
	v.waitFor("Thank you")
	s.requireOneGift()
	require.Equal(t, 1, s.sessionCalls())
}

// TestDeclinedThenBack returns to the form, which still has all values, and then pays the same page.
func TestDeclinedThenBack(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	v.open("/give/csio?lang=en")
	v.fill(rosa())
	v.submit()
	first := v.location()
	v.decline()
	v.navigate(func() { v.click(".leave a") })
	require.Equal(t, rosa(), v.formValues(), "everything typed is still there")
	require.Equal(t, "Give $25.50", eval[string](v, `document.getElementById("submit").innerText`))
	v.submit()
	require.Equal(t, first, v.location(), "the same gift has the same payment page")
	v.pay(goodCard)
	v.waitFor("Thank you")
	s.requireOneGift()
	require.Equal(t, 1, s.count(`SELECT count(*) FROM donation`))
	require.Equal(t, 1, s.sessionCalls())
}
