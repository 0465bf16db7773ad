package bank_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/bank"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

const october = `OFXHEADER:100
DATA:OFXSGML
VERSION:102

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>1<ACCTID>994017<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261001<DTEND>20261031
<STMTTRN><TRNTYPE>OTHER<DTPOSTED>20261005<TRNAMT>-150.00<FITID>1<NAME>RENT MARKET ST</STMTTRN>
<STMTTRN><TRNTYPE>OTHER<DTPOSTED>20261006<TRNAMT>-12.00<FITID>2<NAME>MONTHLY FEE</STMTTRN>
<STMTTRN><TRNTYPE>OTHER<DTPOSTED>20261007<TRNAMT>3.00<FITID>3<NAME>INTEREST</STMTTRN>
<STMTTRN><TRNTYPE>OTHER<DTPOSTED>20261008<TRNAMT>-20.00<FITID>4<NAME>CARD OF ANOTHER</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>821.00<DTASOF>20261031</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`

// TestMonthOfAnAccount: two people book the opening balance; a file says what it adds before it is stored; its lines are matched, split, set
// aside, matched by a rule, undone; the proof has every item, as a page and as a PDF.
func TestMonthOfAnAccount(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{NoStripe: true})
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	bank.AddAccount(t, h, "tsne", "checking", "all")
	ana := visitor.NewMember(t, h, "ana@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	ben := visitor.NewMember(t, h, "ben@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	const account = "/office/tsne/bank/checking"

	page := ana.Ask("GET", account, nil)
	require.Equal(t, 200, page.StatusCode, page.Page)
	opening := url.Values{"submission": {visitor.HiddenFields(page.Page).Get("submission")}, "on": {"2026-09-30"},
		"fund-operations": {"1,000.00"}, "code": {ana.Code()}}
	asked := ana.PostOffice(account, opening)
	require.Equal(t, 303, asked.StatusCode, asked.Page)
	request := asked.Header.Get("Location")
	shown := ben.Ask("GET", request, nil)
	require.Contains(t, shown.Page, "Opening balance of $1,000")
	approve := url.Values{"do": {"approve"}, "hash": {visitor.HiddenFields(shown.Page).Get("hash")}, "code": {ben.Code()}}
	require.Equal(t, 303, ben.PostOffice(request, approve).StatusCode)
	require.Equal(t, []string{"1100 100000 checking", "3000 -100000"},
		h.Lines(`SELECT concat_ws(' ', account_code, amount, dimensions ->> 'bank') FROM posting ORDER BY account_code`))

	token := visitor.HiddenFields(ana.Ask("GET", account+"/files", nil).Page).Get("session")
	require.Equal(t, 303, ana.Upload(account+"/files", url.Values{"session": {token}}, "file", "october.ofx", []byte(october)).StatusCode)
	files := ana.Ask("GET", account+"/files", nil)
	require.Contains(t, files.Page, "4 lines are new")
	require.NotContains(t, files.Page, "is missing")
	require.Zero(t, h.Count(`SELECT count(*) FROM bank_line`), "nothing is stored before it was seen")
	store := url.Values{"do": {"store"}, "upload": {regexp.MustCompile(`name="upload" value="([^"]+)"`).FindStringSubmatch(files.Page)[1]}}
	require.Equal(t, 303, ana.PostOffice(account+"/files", store).StatusCode)
	require.Equal(t, 303, ana.PostOffice(account+"/files", store).StatusCode, "stored once")
	require.Equal(t, 4, h.Count(`SELECT count(*) FROM bank_line`))
	ana.Upload(account+"/files", url.Values{"session": {token}}, "file", "october.ofx", []byte(october))
	require.Contains(t, ana.Ask("GET", account+"/files", nil).Page, "This file was stored before")

	lines := account + "/lines?month=2026-10"
	line := func(text string) string {
		return h.Lines(`SELECT id::text FROM bank_line WHERE text = '` + text + `'`)[0]
	}
	post := func(form url.Values) visitor.Response { return ana.PostOffice(lines, form) }
	require.Contains(t, ana.Ask("GET", lines, nil).Page, "4 open lines in October 2026")
	wrong := post(url.Values{"line[]": {line("MONTHLY FEE")}, "item[]": {"fee"}, "amount[]": {"11.99"}})
	require.Equal(t, http.StatusUnprocessableEntity, wrong.StatusCode)
	require.Contains(t, wrong.Page, "to the cent")
	require.Equal(t, 303, post(url.Values{"line[]": {line("MONTHLY FEE")}, "item[]": {"fee"}, "amount[]": {"-12.00"}}).StatusCode)
	require.Equal(t, 303, post(url.Values{"line[]": {line("INTEREST")}, "item[]": {"interest"}}).StatusCode)
	beyond := post(url.Values{"line[]": {line("RENT MARKET ST")}, "item[]": {"spending:" + h.Offer("csio").Funds[0].Code + ":program:rent"}})
	require.Equal(t, http.StatusUnprocessableEntity, beyond.StatusCode)
	require.Contains(t, beyond.Page, "less than this")
	require.Equal(t, 303, post(url.Values{"do": {"aside"}, "line[]": {line("CARD OF ANOTHER")}, "reason": {"of another organisation"}}).StatusCode)

	rule := url.Values{"id": {program.NewID().String()}, "do": {"try"}, "words": {"market st"}, "direction": {"out"},
		"item[]": {"spending:operations:management:rent"}, "share[]": {"100"}}
	tried := ana.PostOffice(account+"/rule", rule)
	require.Equal(t, 200, tried.StatusCode, tried.Page)
	require.Contains(t, tried.Page, "1 open line would be matched now")
	require.Equal(t, 3, h.Count(`SELECT count(*) FROM bank_match`), "a try matches nothing")
	rule.Set("do", "make")
	made := ana.PostOffice(account+"/rule", rule)
	require.Equal(t, 303, made.StatusCode, made.Page)
	require.Equal(t, made.Header.Get("Location"), ana.PostOffice(account+"/rule", rule).Header.Get("Location"), "the same form is the same rule")
	require.Equal(t, 4, h.Count(`SELECT count(*) FROM bank_match WHERE undone_at IS NULL`))
	require.Equal(t, []string{"1100 -15000 checking", "6600 15000 rent"}, h.Lines(`SELECT concat_ws(' ', p.account_code, p.amount, coalesce(p.dimensions ->> 'bank', p.dimensions ->> 'nature'))
		FROM posting p JOIN journal_entry e ON e.id = p.entry_id JOIN bank_match m ON m.id::text = e.source_id WHERE m.rule_id IS NOT NULL ORDER BY 1`))

	proof := ana.Ask("GET", account+"/2026-10", nil)
	require.Equal(t, 200, proof.StatusCode, proof.Page)
	for _, words := range []string{"Every line is explained", "100% of the month", "$821.00", "$841.00", "of another organisation"} {
		require.Contains(t, proof.Page, words)
	}
	require.Contains(t, ana.Ask("GET", account+"/2026-10?lang=es", nil).Page, "Cada línea está explicada")
	pdf := ana.Ask("GET", account+"/2026-10?format=pdf", nil)
	require.True(t, strings.HasPrefix(pdf.Page, "%PDF"), pdf.Page)

	require.Equal(t, 303, ana.PostOffice(account+"/rule", url.Values{"id": {rule.Get("id")}, "do": {"undo"}}).StatusCode)
	require.Contains(t, ana.Ask("GET", lines, nil).Page, "1 open line in October 2026")
	split := post(url.Values{"do": {"split"}, "line[]": {line("RENT MARKET ST")}, "split": {"50"}, "reason": {"two offices"}})
	require.Equal(t, 303, split.StatusCode, split.Page)
	require.Contains(t, ana.Ask("GET", lines, nil).Page, "2 open lines in October 2026")
	require.Contains(t, ana.Ask("GET", account+"/2026-10", nil).Page, "Lines are open")
	require.Equal(t, 200, ana.Ask("GET", "/office/tsne/bank", nil).StatusCode)
	stripe := ana.Ask("GET", "/office/tsne/bank/stripe/2026-10", nil)
	require.Equal(t, 200, stripe.StatusCode, stripe.Page)
	require.Contains(t, stripe.Page, "Every line is explained")
	require.Equal(t, 404, ana.Ask("GET", "/office/tsne/bank/stripe", nil).StatusCode)
	h.RequireNoFindings()
}
