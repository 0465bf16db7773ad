package bank_test

import (
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/offline"
	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/bank"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestAWireBecomesAGift: an open line of money that came becomes a gift, matched with it in the same transaction, once. Day and amount are the
// line's, whatever the form says; the donor is found and shown before anything is posted.
func TestAWireBecomesAGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{NoStripe: true})
	account := bank.AddAccount(t, h, "tsne", "checking", "all")
	clara := office.Add(t, h.DB.Owner, "clara", office.Role{Role: "finance", Entity: "tsne"})
	ana := visitor.NewMember(t, h, "ana@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	eve := visitor.NewMember(t, h, "eve@staff.example", staff.Auditor, visitor.ScopeOf(t, h, "tsne", ""))
	visitor.PostBatch(t, h, "csio", offline.Typed{"first_name": "Rosa", "last_name": "Lima", "email": "rosa@example.org", "amount": "10", "number": "1"})
	wire, zelle, out := bank.AddLine(t, h, clara, account, 500_00, "WIRE FIDELITY CHARITABLE"), bank.AddLine(t, h, clara, account, 25_00, "ZELLE FROM ROSA LIMA"),
		bank.AddLine(t, h, clara, account, -12_00, "FEE")
	const lines, gift = "/office/tsne/bank/checking/lines", "/office/tsne/bank/checking/gift?line="

	page := ana.Ask("GET", lines, nil).Page
	require.Contains(t, page, `href="`+gift+wire.String()+`" data-gift`)
	require.NotContains(t, page, gift+out.String(), "money that left is no gift")
	require.Contains(t, page, "make a gift of the line", "the key is in the list of keys")
	require.Equal(t, 404, ana.Ask("GET", gift+out.String(), nil).StatusCode)
	require.Equal(t, 404, ana.Ask("GET", gift+uuid.NewString(), nil).StatusCode)
	require.NotContains(t, eve.Ask("GET", lines, nil).Page, "data-gift")
	require.NotContains(t, eve.Ask("GET", gift+wire.String(), nil).Page, `name="donor"`, "an auditor makes none")
	require.Equal(t, 404, eve.PostOffice(gift+wire.String(), url.Values{"organisation": {"X"}, "given_by": {"daf"}, "fund": {"general"}}).StatusCode)

	post := func(line string, from string, typed url.Values) visitor.Response {
		form := visitor.HiddenFields(from)
		form.Del("session")
		for name, values := range typed {
			form[name] = values
		}
		return ana.PostOffice(gift+line, form)
	}
	form := ana.Ask("GET", gift+wire.String(), nil)
	require.Equal(t, 200, form.StatusCode)
	require.NotContains(t, form.Page, `name="amount"`)
	require.NotContains(t, form.Page, `name="method"`)
	wrong := post(wire.String(), form.Page, url.Values{"organisation": {"Fidelity Charitable"}, "given_by": {"daf"}})
	require.Equal(t, 422, wrong.StatusCode, "it has no fund")
	require.Contains(t, wrong.Page, `value="Fidelity Charitable"`, "what was typed stays")
	daf := url.Values{"organisation": {"Fidelity Charitable"}, "given_by": {"daf"}, "email": {"grants@fidelity.example"}, "split[general]": {"300"}, "split[network]": {"200"},
		"amount": {"999"}, "method": {"check"}, "received_on": {"2020-01-01"}}
	require.Equal(t, 303, post(wire.String(), form.Page, daf).StatusCode)
	require.Equal(t, 303, post(wire.String(), form.Page, daf).StatusCode, "the same form is the same gift")
	again := post(wire.String(), ana.Ask("GET", gift+zelle.String(), nil).Page, daf)
	require.Equal(t, 422, again.StatusCode, "another form for a line that is matched")
	require.Contains(t, again.Page, "matched already")
	require.Equal(t, []string{"50000 transfer daf today checking 2"}, h.Lines(`SELECT concat_ws(' ', o.paid, o.method, o.given_by,
		CASE WHEN b.received_on = l.booked_on THEN 'today' END, b.account, (SELECT count(*) FROM designation s WHERE s.donation_id = o.donation_id))
		FROM offline_gift o JOIN gift_batch b ON b.id = o.batch_id JOIN donation g ON g.id = o.donation_id JOIN bank_cleared c ON c.kind = 'gift' AND c.ref = g.public_ref
		JOIN bank_match_line m ON m.match_id = c.match_id JOIN bank_line l ON l.id = m.line_id`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM thank_you WHERE words = 'daf'`))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM offline_gift`))

	form = ana.Ask("GET", gift+zelle.String(), nil)
	found := post(zelle.String(), form.Page, url.Values{"donor": {"lima"}, "fund": {"general"}})
	require.Equal(t, 200, found.StatusCode, "the donor is shown first")
	require.Contains(t, found.Page, "Rosa Lima")
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM offline_gift`))
	require.Equal(t, 303, post(zelle.String(), found.Page, url.Values{"donor": {"lima"}, "fund": {"general"}}).StatusCode)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM receipt WHERE facts ->> 'email' = 'rosa@example.org'`))
	require.Equal(t, []string{"1100 52500"}, h.Lines(`SELECT account_code || ' ' || sum(amount) FROM posting WHERE account_code = '1100' AND dimensions ->> 'bank' = 'checking' GROUP BY account_code`))
	require.Contains(t, ana.Ask("GET", gift+zelle.String(), nil).Page, "Undo that match first")
	h.RequireNoFindings()
}
