package refunds_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/visitor"
)

// TestTheCheckPageCanBeOpenedAgain: the page that shows the effect has an address of its own, which says nothing of what was
// typed, works in one session and for one gift, and leads to the refund once it was ordered.
func TestTheCheckPageCanBeOpenedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := form(map[string]string{"general": "20"})
	got := d.ana.PostOffice(d.path(), with(f, "step", "check"))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	check := got.Header.Get("Location")
	require.Contains(t, check, d.path()+"?check=")
	require.NotContains(t, check, "Dora")
	for range 2 {
		got = d.ana.Ask("GET", check, nil)
		require.Equal(t, 200, got.StatusCode, text(got.Page))
		require.Contains(t, text(got.Page), "Refund $20 to the card")
		require.Contains(t, got.Page, `value="Dora called"`)
		require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
	}
	d.ben.SignIn()
	got = d.ben.Ask("GET", check, nil)
	require.NotContains(t, got.Page, "Dora called", "another session")
	require.Contains(t, text(got.Page), "That page has expired. Nothing was refunded.")
	another := d.give()
	got = d.ana.Ask("GET", strings.Replace(check, d.gift.PublicRef, another.PublicRef, 1), nil)
	require.NotContains(t, got.Page, "Dora called", "another gift")
	project := d.member("petra", staff.Finance, "tsne", "csio")
	got = project.Ask("GET", check+"&org=csio", nil)
	require.NotContains(t, got.Page, "Dora called")
	require.NotContains(t, got.Page, "Refund $20 to the card")

	got = d.ana.PostOffice(d.path(), with(f, "code", d.ana.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	order := got.Header.Get("Location")
	got = d.ana.Ask("GET", check, nil)
	require.Equal(t, 303, got.StatusCode, "back to the page after the refund was ordered")
	require.Equal(t, order, got.Header.Get("Location"))
	require.Len(t, d.orders(), 1)
}

// TestOneAmountIsSpreadOverTheFunds: in proportion to what is left of each, to the cent.
func TestOneAmountIsSpreadOverTheFunds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	page := d.ana.Ask("GET", d.path(), nil).Page
	require.Contains(t, page, `name="amount"`)
	got := d.check(d.path(), with(form(nil), "amount", "10", "step", "check")) // of $50, $30 and $10
	for _, part := range []string{`name="part[general]" value="5.56"`, `name="part[network]" value="3.33"`, `name="part[building]" value="1.11"`} {
		require.Contains(t, got.Page, part)
	}
	for _, wrong := range []struct {
		form url.Values
		says string
	}{
		{with(form(nil), "amount", "90.01"), "At most $90 is left"}, {with(form(nil), "amount", "-1"), "Type an amount such as"},
		{with(form(map[string]string{"general": "5"}), "amount", "5"), "not two of them"}, {with(form(nil), "amount", "5", "all", "1"), "not two of them"},
		{with(form(nil), "amount", "0"), "Type an amount, or choose all"},
	} {
		got := d.ana.PostOffice(d.path(), with(wrong.form, "step", "check"))
		require.Equal(t, 422, got.StatusCode, wrong.form)
		require.Contains(t, text(got.Page), wrong.says)
		require.Contains(t, got.Page, `id="amount-error"`)
	}
	f := with(form(nil), "amount", "90")
	for range 2 { // sent twice
		got = d.ana.PostOffice(d.path(), with(f, "code", d.ana.Code()))
		require.Equal(t, 303, got.StatusCode, text(got.Page))
	}
	require.Equal(t, 409, d.ana.PostOffice(d.path(), with(f, "amount", "89")).StatusCode, "the same form says something else")
}

// TestWhatTheBankShows: some days after a refund its page does not promise any more that the bank will show it.
func TestWhatTheBankShows(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.Fake.Refund(*d.gift.PaymentIntentID, 1000)
	require.NoError(t, err)
	d.settle()
	require.Contains(t, text(d.ana.Ask("GET", d.path(), nil).Page), "shows it within five to ten days")
	d.Exec(`ALTER TABLE payment_change DISABLE TRIGGER USER; UPDATE payment_change SET at = at - interval '11 days' WHERE kind = 'refund'; ALTER TABLE payment_change ENABLE TRIGGER USER`)
	page := text(d.ana.Ask("GET", d.path(), nil).Page)
	require.Contains(t, page, "has shown it by now")
	require.NotContains(t, page, "five to ten days")
}

// TestWaitingRequestsAreLeftOut: what a waiting request asks for cannot be refunded beside it; a fund of which nothing is left has no
// field; and a finished refund says what became of the receipt.
func TestWaitingRequestsAreLeftOut(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	got := d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "45", "building": "10"}), "code", d.ana.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	require.Contains(t, got.Header.Get("Location"), "said=asked")
	page := d.ben.Ask("GET", d.path(), nil).Page
	require.Contains(t, text(page), "$5 of $50 can be refunded")
	require.Contains(t, text(page), "All that can be refunded: $35")
	require.NotContains(t, page, `name="part[building]"`, "nothing is left of it")
	for slug, amount := range map[string]string{"general": "20", "building": "1"} {
		refused := d.ben.PostOffice(d.path(), with(form(map[string]string{slug: amount}), "code", d.ben.Code()))
		require.Equal(t, 422, refused.StatusCode, slug)
		require.Contains(t, text(refused.Page), "is left of this fund")
	}
	refused := d.ben.PostOffice(d.path(), with(form(nil), "amount", "35.01", "code", d.ben.Code()))
	require.Contains(t, text(refused.Page), "At most $35 is left of this gift.")
	require.Empty(t, d.orders())
	got = d.ben.PostOffice(d.path(), with(form(nil), "all", "1", "code", d.ben.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	require.Equal(t, []string{"general 500 ordered", "network 3000 ordered"}, d.orders(), "all beside the request")
	require.Contains(t, text(d.ben.Ask("GET", d.path(), nil).Page), "waits for a second person in a request")
	d.executeAll()
	d.settle()
	made := text(d.ben.Ask("GET", d.path(), nil).Page)
	require.Contains(t, made, "The books have it, and the receipt was replaced or is void.")
	require.NotContains(t, made, "when the books have it")
}

// TestOneFundIsTheGift: of a gift to one fund, an amount above it is compared with the gift.
func TestOneFundIsTheGift(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	gift := d.SettledGift(visitor.FormOf("one@example.org", "One"))
	d.settle()
	path := "/office/tsne/gifts/" + gift.PublicRef + "/refund"
	got := d.ana.PostOffice(path, with(form(map[string]string{"general": "5000"}), "step", "check"))
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, text(got.Page), "is left of this gift.")
	require.NotContains(t, text(got.Page), "of this fund")
}

// TestTodayPromisesWhatThePersonDecides: Today and the list of requests have the same ones: nothing for a project's finance, and nothing of
// a person's other account.
func TestTodayPromisesWhatThePersonDecides(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	project := d.member("petra", staff.Finance, "tsne", "csio")
	same := d.member("anna", staff.Finance, "tsne", "")
	d.Exec(`WITH joined AS (INSERT INTO staff_person (staff_id, person_id) VALUES ($1, $2) RETURNING staff_id)
		INSERT INTO audit_entry (act, object_kind, object_id, reason) SELECT 'staff.joined', 'staff', staff_id::text, 'a test' FROM joined`, same.ID, d.ana.ID)
	got := d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "45", "building": "10"}), "code", d.ana.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	for m, waits := range map[*visitor.Member]bool{d.ben: true, d.ana: false, same: false, project: false} {
		scope := ""
		if m == project {
			scope = "?org=csio"
		}
		require.Equal(t, waits, strings.Contains(text(m.Ask("GET", "/office/tsne"+scope, nil).Page), "1 request waits"), "%s", m.ID)
		require.Equal(t, waits, strings.Contains(text(m.Ask("GET", "/office/tsne/approvals"+scope, nil).Page), "1 request"), "%s", m.ID)
	}
}
