package deposits_test

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
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

// fixture is an office without a payment processor, with a bank account, and gifts of a batch.
type fixture struct {
	*program.Program
	t       *testing.T
	account bank.Account
	clara   *office.Person // finance of the entity
	m       *visitor.Member
	refs    map[string]string // of the gifts, by the donor's first name
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	h := program.New(t, program.Options{NoStripe: true})
	f := &fixture{Program: h, t: t, account: bankkit.AddAccount(t, h, "tsne", "tsne-main", bank.HoldsAll), refs: map[string]string{}}
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp', two_persons_refund = 100000`)
	f.clara = office.Add(t, h.DB.Owner, "clara", office.Role{Role: "finance", Entity: "tsne"})
	f.m = f.member("ana", staff.Finance, "tsne", "")
	f.give(offline.Typed{"first_name": "Rosa", "last_name": "Lima", "email": "rosa@example.org", "amount": "100", "number": "1001"},
		offline.Typed{"first_name": "Ben", "email": "ben@example.org", "amount": "80", "number": "1002", "split[general]": "50", "split[network]": "30"},
		offline.Typed{"first_name": "Carla", "email": "carla@example.org", "amount": "100", "number": "1003", "in_return": "a dinner", "in_return_value": "30"},
		offline.Typed{"first_name": "Cy", "method": "cash", "amount": "50", "counted_by": "June and Clara"})
	return f
}

func (f *fixture) member(name string, role staff.RoleName, entity, organisation string) *visitor.Member {
	f.t.Helper()
	return visitor.NewMember(f.t, f.Program, name+"@example.org", role, visitor.ScopeOf(f.t, f.Program, entity, organisation))
}

// give posts a batch.
func (f *fixture) give(rows ...offline.Typed) {
	f.t.Helper()
	visitor.PostBatch(f.t, f.Program, "csio", rows...)
	for _, line := range f.Lines(`SELECT d.first_name || ' ' || g.public_ref FROM donation g JOIN donor d ON d.id = g.donor_id`) {
		name, ref, _ := strings.Cut(line, " ")
		f.refs[name] = ref
	}
}

// line stores a line of the bank and returns its part, as forms name it.
func (f *fixture) line(minor int64, text string) string {
	f.t.Helper()
	return bankkit.AddLine(f.t, f.Program, f.clara, f.account, minor, text).String()
}

// match matches a line with an item.
func (f *fixture) match(line, item string) error {
	part, err := bank.ParsePart(line)
	require.NoError(f.t, err)
	return bank.Explained(f.clara.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error {
		_, err := f.Bank.MatchTx(f.t.Context(), tx, f.CurrentCatalog(), f.account.EntityID,
			bank.Order{Account: f.account.Slug, Lines: []bank.Part{part}, Items: []bank.Chosen{{Item: item}}})
		return err
	}))
}

// undo undoes the live match of an item.
func (f *fixture) undo(kind, ref string) error {
	ids := f.Lines(`SELECT match_id::text FROM bank_match_item WHERE kind = $1 AND ref = $2 AND NOT undone`, kind, ref)
	require.Len(f.t, ids, 1)
	return bank.Explained(f.clara.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error {
		return f.Bank.UndoTx(f.t.Context(), tx, f.account.EntityID, uuid.MustParse(ids[0]), "a test")
	}))
}

// balances lists what each fund has on accounts.
func (f *fixture) balances(accounts ...string) []string {
	return f.Lines(`SELECT format('%s %s %s', f.code, p.account_code, sum(p.amount)) FROM posting p JOIN fund f ON f.id = p.fund_id
		WHERE p.account_code = ANY(string_to_array($1, ' ')) GROUP BY f.code, p.account_code HAVING sum(p.amount) <> 0 ORDER BY 1`, strings.Join(accounts, " "))
}

func (f *fixture) quiet() {
	f.t.Helper()
	f.RequireNoFindings()
	report, err := ledger.Verify(f.t.Context(), f.DB.Server)
	require.NoError(f.t, err)
	require.True(f.t, report.OK(), "%v", report.Findings)
}

var hidden = regexp.MustCompile(`name="(\w+)" value="([^"]+)"`)

// fields returns the values of the hidden fields of a page, the last of each name.
func fields(page string) map[string]string {
	all := map[string]string{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		all[m[1]] = m[2]
	}
	return all
}

func (f *fixture) items(page string) []string {
	var ids []string
	for _, m := range regexp.MustCompile(`name="item" value="([^"]+)" checked`).FindAllStringSubmatch(page, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// deposited closes a deposit of everything that waits and matches it.
func (f *fixture) deposited() {
	f.t.Helper()
	got := f.m.PostOffice("/office/tsne/deposits", url.Values{"submission": {uuid.NewString()}})
	require.Equal(f.t, 303, got.StatusCode, got.Page)
	at := got.Header.Get("Location")
	page := f.m.Ask("GET", at, nil).Page
	got = f.m.PostOffice(at, url.Values{"do": {"close"}, "account": {f.account.Slug}, "deposited_on": {f.Today("tsne")}, "total": {fields(page)["total"]}})
	require.Equal(f.t, 303, got.StatusCode, got.Page)
	total, err := strconv.ParseInt(fields(page)["total"], 10, 64)
	require.NoError(f.t, err)
	n := at[strings.LastIndex(at, "/")+1:]
	require.NoError(f.t, f.match(f.line(total, "COUNTER DEPOSIT "+n), "deposit:"+n))
}

// TestDepositOfChecksAndCash: what was posted waits; a deposit of it is changed, closed, printed, opened again, and booked fund by fund when its line is
// on the statement.
func TestDepositOfChecksAndCash(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	list := f.m.Ask("GET", "/office/tsne/deposits", nil)
	require.Equal(t, 200, list.StatusCode)
	require.Contains(t, list.Page, "4 checks and gifts in cash wait to be deposited, $330.00.")
	require.Contains(t, f.m.Ask("GET", "/office/tsne", nil).Page, `href="/office/tsne/deposits"`, "in the navigation")

	form := url.Values{"submission": {fields(list.Page)["submission"]}}
	first := f.m.PostOffice("/office/tsne/deposits", form)
	require.Equal(t, "/office/tsne/deposits/1", first.Header.Get("Location"), first.Page)
	require.Equal(t, "/office/tsne/deposits/1", f.m.PostOffice("/office/tsne/deposits", form).Header.Get("Location"), "the same form is the same deposit")
	empty := f.m.PostOffice("/office/tsne/deposits", url.Values{"submission": {uuid.NewString()}})
	require.Equal(t, 409, empty.StatusCode)
	require.Contains(t, empty.Page, "nothing waits")

	page := f.m.Ask("GET", "/office/tsne/deposits/1", nil)
	require.Contains(t, page.Page, "4 items, $330.00")
	ids := f.items(page.Page)
	require.Len(t, ids, 4)
	require.Equal(t, 303, f.m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"save"}, "item": ids[1:]}).StatusCode)
	require.Len(t, f.items(f.m.Ask("GET", "/office/tsne/deposits/1", nil).Page), 3)

	second := f.m.PostOffice("/office/tsne/deposits", url.Values{"submission": {uuid.NewString()}})
	require.Equal(t, "/office/tsne/deposits/2", second.Header.Get("Location"))
	taken := f.m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"save"}, "item": ids})
	require.Equal(t, 409, taken.StatusCode, "a payment is in at most one deposit")
	require.Contains(t, taken.Page, "in another deposit by now")
	require.Equal(t, 303, f.m.PostOffice("/office/tsne/deposits/2", url.Values{"do": {"remove"}}).StatusCode)
	require.Equal(t, 404, f.m.Ask("GET", "/office/tsne/deposits/2", nil).StatusCode)
	require.Equal(t, 303, f.m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"save"}, "item": ids}).StatusCode)

	on := f.Today("tsne")
	bad := f.m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"close"}, "account": {"another"}, "deposited_on": {"2999-01-01"}, "total": {"33000"}})
	require.Equal(t, 422, bad.StatusCode)
	require.Contains(t, bad.Page, "Choose the bank account")
	require.Contains(t, bad.Page, "not after today")
	require.Equal(t, 409, f.m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"close"}, "account": {f.account.Slug}, "deposited_on": {on}, "total": {"1"}}).StatusCode,
		"the person saw another sum")
	closing := url.Values{"do": {"close"}, "account": {f.account.Slug}, "deposited_on": {on}, "total": {"33000"}}
	require.Equal(t, 303, f.m.PostOffice("/office/tsne/deposits/1", closing).StatusCode)
	require.Equal(t, 303, f.m.PostOffice("/office/tsne/deposits/1", closing).StatusCode, "again")
	require.Equal(t, 409, f.m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"save"}, "item": ids[1:]}).StatusCode, "it is closed")
	require.Equal(t, 303, f.m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"reopen"}}).StatusCode)
	require.Equal(t, 303, f.m.PostOffice("/office/tsne/deposits/1", closing).StatusCode)

	slip := f.m.Ask("GET", "/office/tsne/deposits/1/slip", nil)
	require.Equal(t, 200, slip.StatusCode)
	require.True(t, strings.HasPrefix(slip.Page, "%PDF-"))

	require.Equal(t, []string{"general 1050 25110", "network 1050 2790", "operations 1050 5100"}, f.balances("1050"))
	require.ErrorIs(t, f.match(f.line(33001, "DEPOSIT OF ANOTHER SUM"), "deposit:1"), bank.ErrUnequal)
	require.NoError(t, f.match(f.line(33000, "COUNTER DEPOSIT"), "deposit:1"))
	require.Empty(t, f.balances("1050"))
	require.Equal(t, []string{"general 1100 25110", "network 1100 2790", "operations 1100 5100"}, f.balances("1100"))
	require.Contains(t, f.m.Ask("GET", "/office/tsne/deposits/1", nil).Page, "on the bank&#39;s statement on")
	require.Equal(t, 409, f.m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"reopen"}}).StatusCode, "a line has it")
	f.quiet()
	require.NoError(t, f.undo("deposit", "1"))
	require.Empty(t, f.balances("1100"))
	f.quiet()

	require.Equal(t, 5, f.Count(`SELECT count(*) FROM audit_entry WHERE act = 'deposit.changed'`)+f.Count(`SELECT count(*) FROM audit_entry WHERE act = 'deposit.begun'`))
	for _, act := range []string{"deposit.closed", "deposit.reopened", "deposit.removed"} {
		require.Positive(t, f.Count(`SELECT count(*) FROM audit_entry WHERE act = $1`, act), act)
	}
}

// TestDepositsOfTwoPeopleAtOnce: of those who make a deposit at the same time, one has all that waits.
func TestDepositsOfTwoPeopleAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	others := []*visitor.Member{f.m, f.member("bo", staff.Finance, "tsne", ""), f.member("cruz", staff.Finance, "tsne", "")}
	var together sync.WaitGroup
	codes := make([]int, len(others))
	for i, m := range others {
		together.Go(func() {
			codes[i] = m.PostOffice("/office/tsne/deposits", url.Values{"submission": {uuid.NewString()}}).StatusCode
		})
	}
	together.Wait()
	require.Equal(t, 1, f.Count(`SELECT count(DISTINCT deposit_id) FROM deposit_item WHERE deposit_id IS NOT NULL`))
	require.ElementsMatch(t, []int{303, 409, 409}, codes)
	require.Equal(t, 4, f.Count(`SELECT count(*) FROM deposit_item WHERE deposit_id IS NOT NULL`))
}

// TestReturnedCheck: a check that comes back is one action from the bank's line. It undoes the gift: funds, sponsor's fee, receipt; the bank's fee is of
// operations. Undoing the match gives all of it back.
func TestReturnedCheck(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.deposited()
	before := f.balances("1100", "4000", "4100", "4300", "3900", "4900", "4910")
	line := f.line(-11200, "RETURNED ITEM CHK 1003 AND FEE")
	page := f.m.Ask("GET", "/office/tsne/deposits/returned?line="+line, nil)
	require.Equal(t, 200, page.StatusCode, page.Page)
	require.Contains(t, page.Page, "1003 Carla, $100.00")
	require.Contains(t, page.Page, "$12.00, is booked as the bank&#39;s fee")
	got := f.m.PostOffice("/office/tsne/deposits/returned?line="+line, url.Values{"check": {f.refs["Carla"]}})
	require.Equal(t, 303, got.StatusCode, got.Page)
	require.Equal(t, 409, f.m.PostOffice("/office/tsne/deposits/returned?line="+line, url.Values{"check": {f.refs["Carla"]}}).StatusCode, "once")
	require.Equal(t, []string{"operations 5200 1200"}, f.balances("5200"))
	require.Empty(t, f.balances("4300"), "the dinner was not paid")
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM receipt_void`))
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM donation g JOIN payment p ON p.donation_id = g.id JOIN payment_change h ON h.payment_id = p.id
		WHERE g.public_ref = $1 AND h.kind = 'dispute lost' AND h.amount = 7000`, f.refs["Carla"]))
	require.Contains(t, f.m.Ask("GET", "/office/tsne/gifts/"+f.refs["Carla"], nil).Page, "Check returned")
	require.Contains(t, f.m.Ask("GET", "/office/tsne/deposits/1", nil).Page, "Came back")
	f.quiet()

	require.ErrorContains(t, f.undo("deposit", "1"), "office.deposit.problem.returned")
	require.NoError(t, f.undo("returned", f.refs["Carla"]))
	require.Equal(t, before, f.balances("1100", "4000", "4100", "4300", "3900", "4900", "4910"))
	require.Empty(t, f.balances("5200", "4800", "4805"))
	f.quiet()

	exact := f.line(-8000, "RETURNED CHECK 1002")
	require.Contains(t, f.m.Ask("GET", "/office/tsne/deposits/returned?line="+exact, nil).Page, "1002 Ben, $80.00")
	require.NoError(t, f.match(exact, "returned:"+f.refs["Ben"]))
	require.NoError(t, f.undo("returned", f.refs["Ben"]))
	require.NoError(t, f.match(exact, "returned:"+f.refs["Ben"]), "it comes back again")
	f.quiet()
}

// TestRefundOfACheckIsOwedAndRepaid: a gift by check is refunded by the order of refunds; what is owed is repaid by check or transfer, once, and is booked
// when the money leaves the bank.
func TestRefundOfACheckIsOwedAndRepaid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.deposited()
	refund := "/office/tsne/gifts/" + f.refs["Ben"] + "/refund"
	require.Equal(t, 200, f.m.Ask("GET", refund, nil).StatusCode)
	form := url.Values{"part[general]": {"20"}, "part[network]": {"10"}, "reason": {"requested"}, "note": {"Ben called"}, "submission": {uuid.NewString()}}
	checked := url.Values{"step": {"check"}}
	for name, values := range form {
		checked[name] = values
	}
	asked := f.m.PostOffice(refund, checked)
	require.Equal(t, 303, asked.StatusCode, asked.Page)
	preview := f.m.Ask("GET", asked.Header.Get("Location"), nil)
	require.Equal(t, 200, preview.StatusCode)
	require.Contains(t, preview.Page, "Refund $30, by check or transfer")
	require.Equal(t, 303, f.m.PostOffice(refund, form).StatusCode)
	require.Equal(t, 303, f.m.PostOffice(refund, form).StatusCode, "again")
	require.Equal(t, []string{"general 2300 -2000", "network 2300 -1000"}, f.balances("2300"))
	require.Empty(t, f.balances("1050"), "the sponsor's fee is given back where the money is")
	f.quiet()
	tooMuch := url.Values{"part[general]": {"31"}, "reason": {"requested"}, "submission": {uuid.NewString()}}
	require.Equal(t, 422, f.m.PostOffice(refund, tooMuch).StatusCode)

	list := f.m.Ask("GET", "/office/tsne/refunds/owed", nil)
	require.Contains(t, list.Page, "1 refund is owed, $30.00")
	pay := func(form url.Values) visitor.Response {
		got := fields(f.m.Ask("GET", "/office/tsne/refunds/owed", nil).Page)
		all := url.Values{"payment": {got["payment"]}, "amount": {got["amount"]}, "submission": {got["submission"]}, "method": {"check"}, "number": {"2001"},
			"paid_on": {f.Today("tsne")}, "account": {f.account.Slug}}
		for name, values := range form {
			all[name] = values
		}
		return f.m.PostOffice("/office/tsne/refunds/owed", all)
	}
	require.Equal(t, 422, pay(url.Values{"number": {""}, "account": {"another"}}).StatusCode)
	require.Equal(t, 409, pay(url.Values{"amount": {"2999"}}).StatusCode, "another sum is owed")
	once := url.Values{"submission": {uuid.NewString()}, "payment": {fields(list.Page)["payment"]}, "amount": {"3000"}}
	require.Equal(t, 303, pay(once).StatusCode)
	require.Equal(t, 303, pay(once).StatusCode, "the same form")
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM repayment`))
	require.Contains(t, f.m.Ask("GET", "/office/tsne/refunds/owed", nil).Page, "Nothing is owed to a donor")
	require.Equal(t, 303, f.m.PostOffice("/office/tsne/refunds/owed", url.Values{"withdraw": {"1"}}).StatusCode)
	require.Equal(t, 303, pay(url.Values{"method": {"transfer"}, "number": {"T-77"}}).StatusCode)
	require.ErrorIs(t, f.match(f.line(-3000, "CHECK 2001"), "refund:1"), bank.ErrItem, "it was withdrawn")
	paid := f.line(-3000, "TRANSFER T-77")
	require.NoError(t, f.match(paid, "refund:2"))
	require.Empty(t, f.balances("2300"))
	require.Equal(t, 409, f.m.PostOffice("/office/tsne/refunds/owed", url.Values{"withdraw": {"2"}}).StatusCode, "a line has it")
	f.quiet()

	// The check of the gift comes back after it was refunded in part: what was repaid is lost, and operations pays it.
	require.NoError(t, f.match(f.line(-8000, "RETURNED CHECK 1002"), "returned:"+f.refs["Ben"]))
	require.Equal(t, []string{"operations 4800 3000"}, onlyOperations(f.balances("4800")))
	require.Equal(t, 403, f.m.PostOffice(refund, url.Values{"all": {"1"}, "reason": {"requested"}, "submission": {uuid.NewString()}}).StatusCode, "the check was not paid")
	f.quiet()
}

func onlyOperations(lines []string) (own []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "operations ") {
			own = append(own, l)
		}
	}
	return own
}

// TestReturnedCheckOfARefundThatIsOwed: nobody repays what the donor has already, since the check was not paid.
func TestReturnedCheckOfARefundThatIsOwed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.deposited()
	refund := "/office/tsne/gifts/" + f.refs["Rosa"] + "/refund"
	require.Equal(t, 303, f.m.PostOffice(refund, url.Values{"all": {"1"}, "reason": {"mistake"}, "submission": {uuid.NewString()}}).StatusCode)
	line := f.line(-10000, "RETURNED CHECK 1001")
	require.NoError(t, f.match(line, "returned:"+f.refs["Rosa"]))
	require.Empty(t, f.balances("2300"))
	require.Contains(t, f.m.Ask("GET", "/office/tsne/refunds/owed", nil).Page, "Nothing is owed to a donor")
	f.quiet()
	require.NoError(t, f.undo("returned", f.refs["Rosa"]))
	require.Contains(t, f.m.Ask("GET", "/office/tsne/refunds/owed", nil).Page, "1 refund is owed, $100.00")
	f.quiet()
}

// TestDepositsAreOfTheEntity: a project, another entity, and people without the role see and change nothing.
func TestDepositsAreOfTheEntity(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.deposited()
	line := f.line(-10000, "RETURNED CHECK 1001")
	project, other := f.member("pia", staff.Finance, "tsne", "csio"), f.member("otto", staff.Finance, "aina", "")
	auditor := f.member("aud", staff.Auditor, "tsne", "")
	for _, path := range []string{"/deposits/1", "/deposits/1/slip", "/deposits/returned?line=" + line} {
		require.Equal(t, 404, project.Ask("GET", "/office/tsne"+path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"org=csio", nil).StatusCode, path)
		require.Equal(t, 404, other.Ask("GET", "/office/aina"+path, nil).StatusCode, path)
		require.Equal(t, 200, auditor.Ask("GET", "/office/tsne"+path, nil).StatusCode, path)
	}
	require.NotContains(t, other.Ask("GET", "/office/aina/deposits", nil).Page, "330")
	require.NotContains(t, project.Ask("GET", "/office/tsne/deposits?org=csio", nil).Page, "330")
	require.Equal(t, 404, auditor.PostOffice("/office/tsne/deposits", url.Values{"submission": {uuid.NewString()}}).StatusCode)
	require.Equal(t, 404, auditor.PostOffice("/office/tsne/refunds/owed", url.Values{"withdraw": {"1"}}).StatusCode)
	require.Empty(t, f.clara.Reads(t, f.DB.Server, `SELECT n::text FROM deposit WHERE entity_id <> $1`, f.account.EntityID))
	outside := office.Add(t, f.DB.Owner, "otto2", office.Role{Role: "finance", Entity: "aina"})
	for _, table := range []string{"deposit", "deposit_item", "deposit_row", "deposit_line", "repayment", "repayment_row", "owed_row"} {
		require.Equal(t, []string{"0"}, outside.Reads(t, f.DB.Server, `SELECT count(*)::text FROM `+table), table)
	}
}

// TestDepositBySQL: the server's role cannot break the rules of deposits.
func TestDepositBySQL(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.deposited()
	june := office.Add(t, f.DB.Owner, "june", office.Role{Role: "entry", Entity: "tsne"})
	for name, query := range map[string]string{
		"an item into another deposit": `UPDATE deposit_item SET deposit_id = NULL`,
		"an item that leaves":          `UPDATE deposit_item SET deposit_id = NULL, left_at = now()`,
		"a booked deposit is opened":   `UPDATE deposit SET account_id = NULL, deposited_on = NULL, closed_at = NULL`,
		"a deposit by nobody's right":  `INSERT INTO deposit (id, entity_id, currency, submission) SELECT gen_random_uuid(), entity_id, 'USD', gen_random_uuid() FROM deposit`,
		"a deposit is deleted":         `DELETE FROM deposit`,
		"an item is added":             `INSERT INTO deposit_item SELECT gen_random_uuid(), entity_id, 1, currency, method, NULL, NULL FROM deposit_item LIMIT 1`,
	} {
		person := f.clara
		if strings.Contains(name, "nobody") {
			person = june
		}
		require.Error(t, person.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error {
			_, err := tx.Exec(query)
			return err
		}), name)
	}
}
