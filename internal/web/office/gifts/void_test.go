package gifts_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/office/offline"
	"konbit/internal/people/staff"
	bankkit "konbit/internal/workshop/testkit/bank"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// voids is an office without a processor, with two people of finance and posted gifts.
type voids struct {
	*program.Program
	t        *testing.T
	ana, ben *visitor.Member
}

func newVoids(t *testing.T, rows ...offline.Typed) voids {
	t.Helper()
	h := program.New(t, program.Options{NoStripe: true})
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	v := voids{Program: h, t: t}
	v.ana = visitor.NewMember(t, h, "ana@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	v.ben = visitor.NewMember(t, h, "ben@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	visitor.PostBatch(t, h, "csio", rows...)
	return v
}

func (v voids) gift(first string) string {
	v.t.Helper()
	refs := v.Lines(`SELECT g.public_ref FROM donation g JOIN donor d ON d.id = g.donor_id WHERE d.first_name = $1 ORDER BY g.created_at DESC, g.id`, first)
	require.NotEmpty(v.t, refs)
	return "/office/tsne/gifts/" + refs[0]
}

// ask posts a form of a page as it is, with what is typed, and a code.
func (v voids) ask(path, page string, typed url.Values) visitor.Response {
	v.t.Helper()
	form := visitor.HiddenFields(page)
	form.Del("session")
	for name, values := range typed {
		form[name] = values
	}
	form.Set("code", v.ana.Code())
	return v.ana.PostOffice(path, form)
}

// approve approves a request and returns the answer.
func (v voids) approve(request string) visitor.Response {
	v.t.Helper()
	shown := v.ben.Ask("GET", request, nil)
	require.Equal(v.t, 200, shown.StatusCode)
	return v.ben.PostOffice(request, url.Values{"do": {"approve"}, "hash": {visitor.HiddenFields(shown.Page).Get("hash")}, "code": {v.ben.Code()}})
}

func (v voids) quiet() {
	v.t.Helper()
	v.RequireNoFindings()
	report, err := ledger.Verify(v.t.Context(), v.DB.Server)
	require.NoError(v.t, err)
	require.True(v.t, report.OK(), "%v", report.Findings)
}

// TestVoid: a posted gift that was typed by mistake is voided when a second person approves: its entries are reversed, its receipt is void, the
// donor is told, and it is nowhere to be deposited.
func TestVoid(t *testing.T) {
	t.Parallel()
	v := newVoids(t, offline.Typed{"first_name": "Rosa", "last_name": "Lima", "email": "rosa@example.org", "amount": "100", "number": "1001"},
		offline.Typed{"first_name": "Ben", "email": "ben@example.org", "amount": "80", "number": "1002", "split[general]": "50", "split[network]": "30",
			"in_return": "", "in_return_value": ""})
	gift := v.gift("Rosa")
	page := v.ana.Ask("GET", gift, nil).Page
	require.Contains(t, page, gift+"/void")
	require.Contains(t, page, gift+"/correct")
	eve := visitor.NewMember(t, v.Program, "eve@staff.example", staff.Auditor, visitor.ScopeOf(t, v.Program, "tsne", ""))
	require.NotContains(t, eve.Ask("GET", gift, nil).Page, gift+"/void")
	marta := visitor.NewMember(t, v.Program, "marta@staff.example", staff.Finance, visitor.ScopeOf(t, v.Program, "tsne", "csio"))
	require.Equal(t, 200, marta.Ask("GET", gift+"/void?org=csio", nil).StatusCode)
	require.NotContains(t, marta.Ask("GET", gift+"/void?org=csio", nil).Page, `name="reason"`, "a project's finance asks for none")

	form := v.ana.Ask("GET", gift+"/void", nil)
	require.Equal(t, 200, form.StatusCode, form.Page)
	for _, said := range []string{"becomes void", "issued by mistake", "$100.00", "Sponsor"} {
		require.Contains(t, form.Page, said)
	}
	require.Equal(t, 422, v.ask(gift+"/void", form.Page, url.Values{}).StatusCode, "it needs a reason")
	asked := v.ask(gift+"/void", form.Page, url.Values{"reason": {"typed twice"}})
	require.Equal(t, 303, asked.StatusCode, asked.Page)
	require.Equal(t, asked.Header.Get("Location"), v.ask(gift+"/void", form.Page, url.Values{"reason": {"typed twice"}}).Header.Get("Location")+"?said=asked")
	request := asked.Header.Get("Location")
	require.Zero(t, v.Count(`SELECT count(*) FROM gift_void`), "one person voids nothing")
	require.Contains(t, v.ana.Ask("GET", gift, nil).Page, "waits for a second person")
	shown := v.ben.Ask("GET", request, nil).Page
	for _, said := range []string{"Void a gift of $100", "typed twice", "becomes void"} {
		require.Contains(t, shown, said)
	}
	require.Equal(t, 403, v.ana.PostOffice(request, url.Values{"do": {"approve"}, "hash": {visitor.HiddenFields(shown).Get("hash")}, "code": {v.ana.Code()}}).StatusCode)
	done := v.approve(request)
	require.Equal(t, 303, done.StatusCode, done.Page)
	require.Equal(t, []string{"0"}, v.Lines(`SELECT coalesce(sum(p.amount), 0) FROM posting p JOIN journal_entry e ON e.id = p.entry_id JOIN gift_void g ON g.gift_id::text = e.source_id
		WHERE p.account_code = '1050'`))
	require.Equal(t, 1, v.Count(`SELECT count(*) FROM receipt_void WHERE reason = 'correction'`))
	require.Equal(t, 1, v.Count(`SELECT count(*) FROM river_job WHERE kind = 'receipt_void_letter'`))
	require.Equal(t, 1, v.Count(`SELECT count(*) FROM deposit_item WHERE left_at IS NOT NULL AND deposit_id IS NULL`))
	require.Equal(t, 1, v.Count(`SELECT count(*) FROM audit_entry WHERE act = 'gift.voided'`))
	after := v.ana.Ask("GET", gift, nil).Page
	require.Contains(t, after, "recorded by mistake")
	require.NotContains(t, after, gift+"/refund")
	require.NotContains(t, after, "Dispute lost")
	require.Contains(t, v.ana.Ask("GET", "/office/tsne/gifts", nil).Page, ">Void<")
	require.Contains(t, v.ana.Ask("GET", gift+"/void", nil).Page, "void already")
	v.quiet()
}

// TestCorrection: one form with what stands there; the gift is voided and another one is posted in its place, in one transaction; the receipt says
// which one it replaces, and the donor gets one email.
func TestCorrection(t *testing.T) {
	t.Parallel()
	v := newVoids(t, offline.Typed{"first_name": "Rosa", "last_name": "Lima", "email": "rosa@example.org", "amount": "100", "number": "1001", "note": "for the roof"},
		offline.Typed{"first_name": "Carla", "last_name": "Mejía", "email": "carla@example.org", "amount": "40", "number": "1003"})
	gift := v.gift("Rosa")
	form := v.ana.Ask("GET", gift+"/correct", nil)
	require.Equal(t, 200, form.StatusCode, form.Page)
	for _, stands := range []string{`value="Rosa Lima"`, `value="100.00"`, `value="1001"`, `value="for the roof"`} {
		require.Contains(t, form.Page, stands)
	}
	day := v.Lines(`SELECT received_on::text FROM gift_batch`)[0]
	typed := url.Values{"do": {"check"}, "donor": {"Rosa Lima"}, "amount": {"100.00"}, "number": {"1001"}, "note": {"for the roof"}, "fund": {"general"}, "method": {"check"},
		"given_by": {"person"}, "received_on": {day}, "reason": {"read wrong"}}
	same := v.ask(gift+"/correct", form.Page, typed)
	require.Equal(t, 422, same.StatusCode)
	require.Contains(t, same.Page, "Nothing is changed")
	typed["amount"], typed["split[general]"], typed["split[network]"], typed["fund"] = []string{"120"}, []string{"70"}, []string{"50"}, []string{""}
	early := v.ask(gift+"/correct", form.Page, url.Values{"do": {"ask"}, "donor": {"Rosa Lima"}, "amount": {"0"}, "received_on": {"2199-01-01"}})
	require.Equal(t, 422, early.StatusCode)
	check := v.ask(gift+"/correct", form.Page, typed)
	require.Equal(t, 200, check.StatusCode, check.Page)
	for _, said := range []string{"100.00 → 120.00", "says that it replaces it", "$70.00", "$50.00"} {
		require.Contains(t, check.Page, said)
	}
	require.Zero(t, v.Count(`SELECT count(*) FROM approval_request`))
	typed["do"] = []string{"ask"}
	asked := v.ask(gift+"/correct", check.Page, typed)
	require.Equal(t, 303, asked.StatusCode, asked.Page)
	request := asked.Header.Get("Location")
	require.Contains(t, v.ben.Ask("GET", request, nil).Page, "100.00 → 120.00")
	done := v.approve(request)
	require.Equal(t, 303, done.StatusCode, done.Page)
	require.Equal(t, []string{"10000 void", "12000 stands"}, v.Lines(`SELECT o.paid || ' ' || CASE WHEN x.gift_id IS NULL THEN 'stands' ELSE 'void' END FROM offline_gift o
		JOIN donation g ON g.id = o.donation_id JOIN donor d ON d.id = g.donor_id LEFT JOIN gift_void x ON x.gift_id = o.id WHERE d.first_name = 'Rosa' ORDER BY o.paid`))
	require.Equal(t, 1, v.Count(`SELECT count(*) FROM gift_void x JOIN offline_gift o ON o.id = x.new_gift_id`))
	require.Equal(t, 1, v.Count(`SELECT count(*) FROM receipt n JOIN receipt_void w ON true JOIN receipt o ON o.id = w.receipt_id
		WHERE n.facts -> 'replaces' ->> 'number' = 'TSNE-' || o.year || '-' || lpad(o.number::text, 6, '0') AND n.facts -> 'replaces' ->> 'reason' = 'correction'`))
	require.Zero(t, v.Count(`SELECT count(*) FROM river_job WHERE kind = 'receipt_void_letter'`), "the new receipt tells it")
	require.Equal(t, 3, v.Count(`SELECT count(*) FROM river_job WHERE kind = 'receipt_letter'`))
	require.Contains(t, v.ana.Ask("GET", gift, nil).Page, "The gift in its place")
	next := v.gift("Rosa")
	require.NotEqual(t, gift, next)
	require.Contains(t, v.ana.Ask("GET", next, nil).Page, "It replaces another gift")
	require.Equal(t, 1, v.Count(`SELECT count(*) FROM audit_entry WHERE act = 'gift.corrected'`))
	v.quiet()

	other := v.gift("Carla") // the check was of somebody else, who is new
	page := v.ana.Ask("GET", other+"/correct", nil).Page
	wrong := url.Values{"do": {"check"}, "donor": {""}, "donor_id": {"new"}, "donor_was": {""}, "first_name": {"Ana"}, "last_name": {"Paz"}, "email": {"paz@example.org"}, "amount": {"40"},
		"number": {"1003"}, "fund": {"general"}, "method": {"check"}, "given_by": {"person"}, "received_on": {day}, "reason": {"another donor"}}
	check = v.ask(other+"/correct", page, wrong)
	require.Equal(t, 200, check.StatusCode, check.Page)
	require.Contains(t, check.Page, "Ana Paz")
	require.Contains(t, check.Page, "issued by mistake", "who gave nothing is told so")
	wrong["do"] = []string{"ask"}
	asked = v.ask(other+"/correct", check.Page, wrong)
	require.Equal(t, 303, asked.StatusCode, asked.Page)
	require.Equal(t, 303, v.approve(asked.Header.Get("Location")).StatusCode)
	require.Equal(t, 1, v.Count(`SELECT count(*) FROM river_job WHERE kind = 'receipt_void_letter'`))
	require.Equal(t, []string{"Ana Paz "}, v.Lines(`SELECT concat_ws(' ', facts ->> 'first_name', facts ->> 'last_name', coalesce(facts -> 'replaces' ->> 'number', ''))
		FROM receipt WHERE facts ->> 'email' = 'paz@example.org'`))
	v.quiet()
}

// TestNoVoidOfWhatIsDeposited: a gift in a closed deposit, or that a line of the bank has, is refused with what to undo first; also if that happens
// between the request and its approval.
func TestNoVoidOfWhatIsDeposited(t *testing.T) {
	t.Parallel()
	v := newVoids(t, offline.Typed{"first_name": "Rosa", "amount": "100", "number": "1001"}, offline.Typed{"first_name": "Ben", "amount": "50", "number": "1002"})
	account := bankkit.AddAccount(t, v.Program, "tsne", "checking", bank.HoldsAll)
	clara := office.Add(t, v.DB.Owner, "clara", office.Role{Role: "finance", Entity: "tsne"})
	gift := v.gift("Rosa")
	form := v.ana.Ask("GET", gift+"/void", nil).Page
	asked := v.ask(gift+"/void", form, url.Values{"reason": {"typed twice"}})
	require.Equal(t, 303, asked.StatusCode, asked.Page)
	made := v.ana.PostOffice("/office/tsne/deposits", url.Values{"submission": {program.NewID().String()}})
	require.Equal(t, 303, made.StatusCode)
	at := made.Header.Get("Location")
	require.Equal(t, 303, v.ana.PostOffice(at, url.Values{"do": {"close"}, "account": {"checking"}, "deposited_on": {time.Now().Format(time.DateOnly)}, "total": {"15000"}}).StatusCode)
	require.Contains(t, v.ana.Ask("GET", v.gift("Ben")+"/correct", nil).Page, "Deposit 1 has this gift, and is closed")
	require.Contains(t, v.ana.Ask("GET", v.gift("Ben")+"/correct", nil).Page, `href="/office/tsne/deposits/1"`)
	require.Contains(t, v.ana.Ask("GET", gift+"/correct", nil).Page, "waits for a second person")
	refused := v.approve(asked.Header.Get("Location"))
	require.Equal(t, 409, refused.StatusCode, refused.Page)
	require.Contains(t, refused.Page, "Deposit 1 has this gift")
	line := bankkit.AddLine(t, v.Program, clara, account, 150_00, "COUNTER DEPOSIT")
	require.NoError(t, bank.Explained(clara.InTx(t, v.DB.Server, func(tx *sqlx.Tx) error {
		_, err := v.Bank.MatchTx(t.Context(), tx, v.CurrentCatalog(), account.EntityID, bank.Order{Account: "checking", Lines: []bank.Part{line}, Items: []bank.Chosen{{Item: "deposit:1"}}})
		return err
	})))
	require.Contains(t, v.ana.Ask("GET", asked.Header.Get("Location"), nil).Page, "a line of the bank account checking has the deposit")
	require.Zero(t, v.Count(`SELECT count(*) FROM gift_void`))

	wire := v.Lines(`SELECT $1`, bankkit.TransferGift(t, v.Program, "checking", 0, 25_00, 3).PublicRef)[0]
	require.Contains(t, v.ana.Ask("GET", "/office/tsne/gifts/"+wire+"/void", nil).Page, "payment processor", "it came by no batch")
	v.quiet()
}

// TestReturnToTheDonor: a gift by check goes back by the page of refunds, fund by fund; the page says what comes next.
func TestReturnToTheDonor(t *testing.T) {
	t.Parallel()
	v := newVoids(t, offline.Typed{"first_name": "Ben", "amount": "80", "number": "1002", "split[general]": "50", "split[network]": "30"})
	v.Exec(`UPDATE legal_entity SET two_persons_refund = 100000`)
	refund := v.gift("Ben") + "/refund"
	require.Contains(t, v.ana.Ask("GET", v.gift("Ben"), nil).Page, refund)
	page := v.ana.Ask("GET", refund, nil).Page
	require.Contains(t, page, `name="part[network]"`)
	require.Contains(t, page, "stands in the list of refunds owed until it is repaid")
	got := v.ana.PostOffice(refund, url.Values{"submission": {program.NewID().String()}, "part[network]": {"20"}, "reason": {"requested"}, "note": {""}, "code": {v.ana.Code()}})
	require.Equal(t, 303, got.StatusCode, got.Page)
	page = v.ana.Ask("GET", got.Header.Get("Location"), nil).Page
	require.Contains(t, page, "Owed to the donor")
	require.Contains(t, page, `href="/office/tsne/refunds/owed"`)
	require.Contains(t, v.ana.Ask("GET", "/office/tsne/refunds/owed", nil).Page, "$20")
	require.Equal(t, []string{"network 2300 -2000"}, v.Lines(`SELECT f.code || ' ' || p.account_code || ' ' || p.amount FROM posting p JOIN fund f ON f.id = p.fund_id WHERE p.account_code = '2300'`))
	require.Contains(t, v.ana.Ask("GET", v.gift("Ben")+"/void", nil).Page, "A part of this gift went back already")
	v.quiet()
}
