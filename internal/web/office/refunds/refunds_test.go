package refunds_test

import (
	"encoding/csv"
	"fmt"
	"html"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/people/staff"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestMain gives pages more time than servers do: the test is about what they say, on a machine that may be busy.
func TestMain(m *testing.M) {
	pg.SetRequestTimeout(20 * time.Second)
	os.Exit(m.Run())
}

// desk is a finance office with a gift of $90 to three funds: 50 to general, 30 to network, 10 to building.
type desk struct {
	*program.Program
	t        *testing.T
	gift     donation.Donation
	ana, ben *visitor.Member // of finance
}

func newDesk(t *testing.T, factor ...string) *desk {
	t.Helper()
	d := &desk{Program: program.New(t, program.Options{}), t: t}
	d.Exec(`UPDATE legal_entity SET money_factor = $1, two_persons_refund = 5000`, append(factor, "totp")[0])
	d.gift = d.give()
	d.ana, d.ben = d.member("ana", staff.Finance, "tsne", ""), d.member("ben", staff.Finance, "tsne", "")
	return d
}

func (d *desk) member(name string, role staff.RoleName, entity, organisation string) *visitor.Member {
	d.t.Helper()
	return visitor.NewMember(d.t, d.Program, name+"@example.org", role, visitor.ScopeOf(d.t, d.Program, entity, organisation))
}

func (d *desk) give() donation.Donation {
	d.t.Helper()
	form := visitor.FormOf("donor@example.org", "Dora")
	form.Amount, form.AmountOther, form.Fund = "other", "90", ""
	form.Split = map[string]string{"general": "50", "network": "30", "building": "10"}
	gift := d.SettledGift(form)
	d.settle()
	return d.Gift(gift.ID)
}

// settle lets everything arrive that happened at Stripe.
func (d *desk) settle() {
	d.t.Helper()
	for range 2 {
		d.DeliverNew()
		d.DrainAll()
		_, err := d.Collector.Sweep(d.t.Context())
		require.NoError(d.t, err)
		d.RetryParked()
	}
}

// executeAll runs the jobs of all orders until none waits.
func (d *desk) executeAll() {
	d.t.Helper()
	for _, id := range d.Lines(`SELECT id::text FROM refund_order WHERE state IN ('ordered', 'sent')`) {
		require.NoError(d.t, d.Refunds.Execute(d.t.Context(), uuid.MustParse(id)))
	}
}

func (d *desk) path() string { return "/office/tsne/gifts/" + d.gift.PublicRef + "/refund" }

// form returns what a person types: amounts by fund.
func form(parts map[string]string) url.Values {
	f := url.Values{"reason": {"requested"}, "note": {"Dora called"}, "submission": {uuid.NewString()}}
	for slug, amount := range parts {
		f.Set("part["+slug+"]", amount)
	}
	return f
}

func with(f url.Values, pairs ...string) url.Values {
	c := url.Values{}
	for name, values := range f {
		c[name] = values
	}
	for i := 0; i < len(pairs); i += 2 {
		c.Set(pairs[i], pairs[i+1])
	}
	return c
}

// text returns a page's text without its marks.
func text(page string) string {
	return html.UnescapeString(strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")), " "))
}

// check posts a form whose effect is to be shown, and returns the page to which the answer leads.
func (d *desk) check(path string, form url.Values) visitor.Response {
	d.t.Helper()
	got := d.ana.PostOffice(path, form)
	require.Equal(d.t, 303, got.StatusCode, text(got.Page))
	return d.ana.Ask("GET", got.Header.Get("Location"), nil)
}

func (d *desk) orders() []string {
	return d.Lines(`SELECT format('%s %s %s', f.slug, p.amount, o.state) FROM refund_order o JOIN refund_order_part p ON p.order_id = o.id JOIN fund f ON f.id = p.fund_id ORDER BY o.ordered_at, 1`)
}

// TestFromFormToRefund: amounts are typed, the effect is shown to the cent, and below the limit one person orders.
func TestFromFormToRefund(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	got := d.ana.Ask("GET", d.path(), nil)
	require.Equal(t, 200, got.StatusCode, got.Page)
	require.Contains(t, text(got.Page), "$50 of $50 can be refunded")
	require.Contains(t, text(got.Page), "All that can be refunded: $90")
	f := form(map[string]string{"general": "$20", "building": ""})
	got = d.check(d.path(), with(f, "step", "check"))
	require.Equal(t, 200, got.StatusCode, text(got.Page))
	page := text(got.Page)
	for _, says := range []string{
		"Visa ending in 4242", "Refund $20 to the card", "Stripe keeps $0.65 of its fees", "$1.40 goes back from operations", "is replaced by one over $70",
		"The donor gets the new receipt", "Gift and refund are both in", "The donor asked for it", "Dora called",
	} {
		require.Contains(t, page, says)
	}
	require.NotContains(t, page, "second person")
	require.Contains(t, page, "$50.00 $20.00 $0.65 $1.40 $2.05", "operations pays both fees")
	require.Empty(t, d.orders(), "nothing was done")

	d.ana.Stale()
	shown := visitor.HiddenFields(got.Page)
	shown.Del("step")
	got = d.ana.PostOffice(d.path(), shown)
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, text(got.Page), "Type a code from your authenticator app", "in place")
	require.Contains(t, got.Page, `name="note" value="Dora called"`, "nothing is lost")
	require.Equal(t, 422, d.ana.PostOffice(d.path(), with(shown, "code", "000000")).StatusCode)
	require.Empty(t, d.orders())
	got = d.ana.PostOffice(d.path(), with(shown, "code", d.ana.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	require.Equal(t, []string{"general 2000 ordered"}, d.orders())
	result := got.Header.Get("Location")
	got = d.ana.Ask("GET", result, nil)
	require.Contains(t, text(got.Page), "The refund is ordered.")
	require.Contains(t, text(got.Page), "The program sends it to Stripe within seconds")
	require.Contains(t, got.Page, `id="wait"`)

	again := d.ana.PostOffice(d.path(), with(shown, "code", d.ana.Code()))
	require.Equal(t, 303, again.StatusCode, "the same form is the same order")
	require.Equal(t, result, again.Header.Get("Location"))
	require.Equal(t, 409, d.ana.PostOffice(d.path(), with(shown, "part[general]", "21")).StatusCode, "it says something else now")
	require.Equal(t, []string{"general 2000 ordered"}, d.orders())

	d.executeAll()
	d.settle()
	page = text(d.ana.Ask("GET", result, nil).Page)
	require.Contains(t, page, "Refunded")
	require.NotContains(t, page, "Look again")
	require.Contains(t, text(d.ana.Ask("GET", d.path(), nil).Page), "$30 of $50 can be refunded")
	require.Equal(t, []string{"refund.ordered"}, d.Lines(`SELECT act FROM audit_entry WHERE object_kind = 'refund_order' AND staff_id = $1`, d.ana.ID))
	d.RequireNoFindings()
}

// TestWhatIsWrongStandsAtItsField: each wrong field says what to do, and what was typed stays.
func TestWhatIsWrongStandsAtItsField(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, c := range []struct {
		change []string
		field  string
		says   string
	}{
		{[]string{"part[general]", "lots"}, "part-general", "Type an amount such as 12.50"},
		{[]string{"part[general]", "-5"}, "part-general", "Type an amount such as 12.50"},
		{[]string{"part[general]", "50.01"}, "part-general", "At most $50 is left"},
		{[]string{"part[general]", "1.250"}, "part-general", "Is that $1,250"},
		{[]string{"part[general]", "", "part[network]", "0"}, "part-building", "Type an amount, or choose all"},
		{[]string{"all", "1"}, "all", "not both"},
		{[]string{"part[nothing]", "5"}, "all", "Say how much is refunded from which fund"},
		{[]string{"reason", ""}, "reason", "Choose a reason"},
		{[]string{"reason", "because"}, "reason", "Choose a reason"},
		{[]string{"note", strings.Repeat("ñ", 501)}, "note", "at most 500"},
	} {
		f := with(form(map[string]string{"general": "12,50"}), c.change...)
		for _, step := range []string{"check", "do"} {
			got := d.ana.PostOffice(d.path(), with(f, "step", step))
			require.Equal(t, 422, got.StatusCode, c.change)
			require.Contains(t, text(got.Page), c.says)
			require.Contains(t, got.Page, fmt.Sprintf(`id="%s-error"`, c.field), c.change)
			require.Contains(t, got.Page, fmt.Sprintf(`href="#%s"`, c.field))
			require.Contains(t, got.Page, `value="`+f.Get("part[general]")+`"`)
			require.Contains(t, got.Page, f.Get("submission"))
		}
	}
	require.Empty(t, d.orders())
	got := d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "12,50"}), "step", "form"))
	require.Equal(t, 200, got.StatusCode, "back to the form")
	require.Contains(t, got.Page, `value="12,50"`)
	got = d.check(d.path(), with(form(nil), "all", "1", "step", "check"))
	require.Contains(t, text(got.Page), "becomes void", "all that is left")
	require.Contains(t, got.Page, `name="part[building]" value="10.00"`, "what is shown is what is ordered")
}

// TestT13TheSecondPerson: above the limit the refund waits, the second person sees the same, and approving executes it.
func TestT13TheSecondPerson(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := form(map[string]string{"general": "30", "network": "25"})
	got := d.check(d.path(), with(f, "step", "check"))
	page := text(got.Page)
	require.Contains(t, page, "This is above $50")
	require.Contains(t, page, "Ben can approve it")
	require.Contains(t, page, "Ask a second person")
	require.NotContains(t, page, "to the card")
	first := got.Page
	got = d.ana.PostOffice(d.path(), with(f, "code", d.ana.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	require.Empty(t, d.orders())
	to := got.Header.Get("Location")
	require.Equal(t, to, d.ana.PostOffice(d.path(), with(f, "code", d.ana.Code())).Header.Get("Location"), "the same form is the same request")
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM approval_request`))
	require.Equal(t, 409, d.ana.PostOffice(d.path(), with(f, "part[network]", "26", "code", d.ana.Code())).StatusCode)
	path, _, _ := strings.Cut(to, "?")

	own := d.ana.Ask("GET", to, nil)
	require.Contains(t, text(own.Page), "A second person is asked")
	require.Contains(t, text(own.Page), "You asked for this, so another person decides")
	require.NotContains(t, own.Page, `id="approve"`)
	hash := visitor.HiddenFields(d.ben.Ask("GET", path, nil).Page).Get("hash")
	got = d.ana.PostOffice(path, url.Values{"do": {"approve"}, "hash": {hash}, "code": {d.ana.Code()}})
	require.Equal(t, 403, got.StatusCode, text(got.Page))
	require.Contains(t, text(d.ana.Ask("GET", d.path(), nil).Page), "Waits for a second person", "the gift's page says so")

	for who, want := range map[*visitor.Member]string{d.ana: "Nothing waits for you", d.ben: "1 request"} {
		require.Contains(t, text(who.Ask("GET", "/office/tsne/approvals", nil).Page), want)
	}
	require.Contains(t, text(d.ana.Ask("GET", "/office/tsne/approvals?list=mine", nil).Page), "Refund $55")
	got = d.ben.Ask("GET", path, nil)
	table := regexp.MustCompile(`(?s)<table.*</table>`)
	require.Equal(t, table.FindString(first), table.FindString(got.Page), "the same by fund")
	for _, says := range []string{"Approve: Refund $55 to the card", "Visa ending in 4242", "Dora called", "Ana asked", "is replaced by one over $35"} {
		require.Contains(t, text(got.Page), says)
	}
	require.Contains(t, got.Page, `id="code"`, "a code, however fresh the last one is")

	approve := url.Values{"do": {"approve"}, "hash": {hash}}
	require.Equal(t, 422, d.ben.PostOffice(path, approve).StatusCode)
	require.Equal(t, 422, d.ben.PostOffice(path, with(approve, "code", "000000")).StatusCode)
	require.Equal(t, 409, d.ben.PostOffice(path, with(approve, "hash", strings.Repeat("0", 64), "code", d.ben.Code())).StatusCode)
	require.Equal(t, 409, d.ben.PostOffice(path, with(approve, "hash", "", "code", d.ben.Code())).StatusCode)
	require.Empty(t, d.orders())
	got = d.ben.PostOffice(path, with(approve, "code", d.ben.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	require.Equal(t, []string{"general 3000 ordered", "network 2500 ordered"}, d.orders())
	again := d.ben.PostOffice(path, with(approve, "code", d.ben.Code()))
	require.Equal(t, 303, again.StatusCode, "the same form again")
	require.Len(t, d.orders(), 2)
	page = text(d.ben.Ask("GET", got.Header.Get("Location"), nil).Page)
	require.Contains(t, page, "Ben approved it")
	require.Contains(t, page, "The program sends it to Stripe")
	require.Equal(t, []string{"approval.requested", "approval.approved", "refund.ordered", "approval.executed"},
		d.Lines(`SELECT act FROM audit_entry WHERE object_kind IN ('approval_request', 'refund_order') ORDER BY CASE act WHEN 'approval.requested' THEN 1 WHEN 'approval.approved' THEN 2 WHEN 'refund.ordered' THEN 3 ELSE 4 END`))
	require.Equal(t, d.ana.ID.String(), d.Lines(`SELECT requested_by::text FROM refund_order`)[0])
	require.Equal(t, "Dora called", d.Lines(`SELECT note FROM refund_order`)[0])
	for _, list := range []string{"/office/tsne/refunds", d.path()} {
		require.Contains(t, text(d.ana.Ask("GET", list, nil).Page), "Ana, approved by Ben", list)
	}
	require.Contains(t, text(d.ana.Ask("GET", strings.TrimSuffix(d.path(), "/refund"), nil).Page), "A refund is on its way")
	require.Equal(t, []string{d.ana.ID.String()}, d.Lines(`SELECT after ->> 'requested_by' FROM audit_entry WHERE act = 'refund.ordered'`))
	d.executeAll()
	d.settle()
	require.NotContains(t, text(d.ana.Ask("GET", strings.TrimSuffix(d.path(), "/refund"), nil).Page), "A refund is on its way")
	require.Contains(t, text(d.ana.Ask("GET", path, nil).Page), "Refunded")
	gift := text(d.ana.Ask("GET", strings.TrimSuffix(d.path(), "/refund"), nil).Page)
	require.Contains(t, gift, "ordered by Ana, approved by Ben")
	require.Less(t, strings.Index(gift, "Refund of $55.00 ordered"), strings.Index(gift, "$55.00 refunded"))
	require.Equal(t, 303, d.ana.PostOffice(d.path(), with(f, "code", d.ana.Code())).StatusCode, "the form still leads there")
	d.RequireNoFindings()
}

// TestTwoPersonsDoNotCountForOne: a refund that two people approved leaves one person's limit as it was, of the gift too. The page
// says the sum that counts, and offers as second person only who can sign in.
func TestTwoPersonsDoNotCountForOne(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	office.Add(t, d.DB.Owner, "newcomer", office.Role{Role: "finance", Entity: "tsne"}) // has no factor yet
	d.Exec(`DELETE FROM staff_totp t USING staff m WHERE m.id = t.staff_id AND m.name LIKE 'newcomer%'`)
	d.Exec(`DELETE FROM staff_passkey p USING staff m WHERE m.id = p.staff_id AND m.name LIKE 'newcomer%'`)
	d.member("carla", staff.Finance, "tsne", "")
	f := form(map[string]string{"general": "30", "network": "25"})
	got := d.check(d.path(), with(f, "step", "check"))
	require.Contains(t, text(got.Page), "Ben and Carla can approve it.")
	require.Contains(t, text(d.check(d.path()+"?lang=es", with(f, "step", "check")).Page), "Pueden aprobarlo: Ben y Carla.")
	got = d.ana.PostOffice(d.path(), with(f, "code", d.ana.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	path, _, _ := strings.Cut(got.Header.Get("Location"), "?")
	hash := visitor.HiddenFields(d.ben.Ask("GET", path, nil).Page).Get("hash")
	require.Equal(t, 303, d.ben.PostOffice(path, url.Values{"do": {"approve"}, "hash": {hash}, "code": {d.ben.Code()}}).StatusCode)
	for range 2 {
		f = form(map[string]string{"general": "10"})
		require.NotContains(t, text(d.check(d.path(), with(f, "step", "check")).Page), "econd person")
		got = d.ana.PostOffice(d.path(), with(f, "code", d.ana.Code()))
		require.Equal(t, 303, got.StatusCode, text(got.Page))
	}
	require.Len(t, d.orders(), 4)
	d.gift = d.give()
	page := text(d.check(d.path(), with(form(map[string]string{"general": "30.01"}), "step", "check")).Page)
	require.Contains(t, page, "With this one, you have ordered refunds of $50.01 in 24 hours, also if Stripe refused some; above $50 a second person approves.")
	require.NotContains(t, text(d.check(d.path(), with(form(map[string]string{"general": "30"}), "step", "check")).Page), "econd person")
}

// TestASecondAdminSeesWhoIsInvited: whoever has no role yet is named to the admins who decide about the first one.
func TestASecondAdminSeesWhoIsInvited(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	boss, second := d.member("boss", staff.Admin, "tsne", ""), d.member("second", staff.Admin, "tsne", "")
	got := boss.PostOffice("/office/tsne/people", url.Values{"do": {"invite"}, "email": {"nora@example.org"}, "name": {"Nora Quill"}, "language": {"en"},
		"role": {"finance"}, "organisation": {"csio"}})
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	path := got.Header.Get("Location")
	page := text(second.Ask("GET", path, nil).Page)
	for _, says := range []string{"Who Nora Quill", "nora@example.org", "Role Finance", "Where Center to Support Immigrant Organizing", "Asked by Boss"} {
		require.Contains(t, page, says)
	}
	for _, list := range []string{"/office/tsne", "/office/tsne/approvals"} {
		require.Contains(t, text(second.Ask("GET", list, nil).Page), "Give the role Finance: Nora Quill", list)
	}
	wrong := second.PostOffice(path, url.Values{"do": {"approve"}, "hash": {strings.Repeat("0", 64)}, "code": {second.Code()}})
	require.Equal(t, 409, wrong.StatusCode)
	require.Contains(t, text(wrong.Page), "Change of a role")
	require.NotContains(t, text(wrong.Page), "This refund", "the words of the kind of request")
	require.NotContains(t, text(d.ana.Ask("GET", path, nil).Page), "nora@example.org", "Finance decides nothing about roles")
	stranger := d.member("stranger", staff.Admin, "aina", "")
	require.Equal(t, 404, stranger.Ask("GET", strings.Replace(path, "/tsne/", "/aina/", 1), nil).StatusCode)
	person := office.Add(t, d.DB.Owner, "another", office.Role{Role: "admin", Entity: "aina"})
	require.Empty(t, person.Reads(t, d.DB.Server, `SELECT name FROM office_person_of_request($1)`, path[strings.LastIndex(path, "/")+1:]))
}

// TestOwedUntilTheBooksClearIt: a refund that the bank sent back stays on Today and in the list while account 2300 holds it, though
// somebody tries to close its task. When it went out again, the task can be closed.
func TestOwedUntilTheBooksClearIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 50000`)
	order := func(parts map[string]string) {
		got := d.ana.PostOffice(d.path(), with(form(parts), "code", d.ana.Code()))
		require.Equal(t, 303, got.StatusCode, text(got.Page))
		d.executeAll()
		d.settle()
	}
	order(map[string]string{"general": "30"})
	order(map[string]string{"building": "10"})
	d.Fake.Advance(20 * 24 * time.Hour)
	require.NoError(t, d.Fake.FailRefund(d.Lines(`SELECT stripe_refund_id FROM refund_order WHERE amount = 3000`)[0]))
	d.settle()
	task := "/office/tsne/tasks/" + d.Lines(`SELECT id::text FROM finance_task WHERE kind = 'refund_failed'`)[0]
	page := text(d.ana.Ask("GET", task, nil).Page)
	for _, says := range []string{"$30.00", "Type Refund that came back", "until then account 2300 holds it"} {
		require.Contains(t, page, says)
	}
	for _, silent := range []string{"minor units", "refund_failure", "Close the task"} {
		require.NotContains(t, page, silent)
	}
	require.Equal(t, 409, d.ana.PostOffice(task, url.Values{"reason": {"Repaid by check"}}).StatusCode)
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM finance_task WHERE kind = 'refund_failed' AND closed_at IS NULL`))
	d.Exec(`UPDATE finance_task SET closed_at = greatest(now(), opened_at)`) // by a command of the operator
	for _, path := range []string{"/office/tsne", "/office/tsne/refunds", d.path()} {
		require.Contains(t, text(d.ana.Ask("GET", path, nil).Page), "Owed to the donor", path)
	}
	page = text(d.ana.Ask("GET", "/office/tsne/refunds", nil).Page)
	require.Contains(t, page, "1 refund, $10; 1 failed, $30")
	require.Contains(t, page, "Total, without failed and refused $10.00")
	d.Exec(`UPDATE finance_task SET closed_at = NULL WHERE kind = 'refund_failed'`)
	order(map[string]string{"general": "30"})
	for _, path := range []string{"/office/tsne/refunds", d.path()} {
		page = text(d.ana.Ask("GET", path, nil).Page)
		require.NotContains(t, page, "Owed to the donor", path)
		require.Contains(t, page, "went out since", path)
	}
	require.Equal(t, 303, d.ana.PostOffice(task, url.Values{"reason": {"Refunded again"}}).StatusCode)
	require.NotContains(t, text(d.ana.Ask("GET", "/office/tsne", nil).Page), "not finished")
}

// TestRefusedBecauseItWasRefundedElsewhere: the task does not say that the donor got nothing, and has words in place of codes.
func TestRefusedBecauseItWasRefundedElsewhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	got := d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "20"}), "code", d.ana.Code()))
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	_, err := d.Fake.Refund(d.IntentOf(d.gift), 9000)
	require.NoError(t, err)
	d.executeAll()
	require.Equal(t, []string{"charge_already_refunded"}, d.Lines(`SELECT problem FROM refund_order`))
	task := "/office/tsne/tasks/" + d.Lines(`SELECT id::text FROM finance_task WHERE kind = 'refund_refused'`)[0]
	got = d.ana.Ask("GET", task, nil)
	for _, says := range []string{"The payment was refunded already", "nothing to order again", "Gift Show the gift", "Amount $20.00", "Why Refunded already"} {
		require.Contains(t, text(got.Page), says)
	}
	for _, silent := range []string{"got nothing", "charge_already_refunded", "minor units", d.gift.ID.String()} {
		require.NotContains(t, text(got.Page), silent)
	}
	d.settle()
	require.Contains(t, text(d.ana.Ask("GET", "/office/tsne/refunds", nil).Page), "1 refund, $90; 1 refused, $20")
}

// TestDeclinedAndWithdrawn: a request ends without a refund, and the same amount may be asked for again.
func TestDeclinedAndWithdrawn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ask := func() (path, hash string) {
		got := d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "50", "network": "1"}), "code", d.ana.Code()))
		require.Equal(t, 303, got.StatusCode, text(got.Page))
		path, _, _ = strings.Cut(got.Header.Get("Location"), "?")
		return path, visitor.HiddenFields(d.ben.Ask("GET", path, nil).Page).Get("hash")
	}
	path, hash := ask()
	require.Contains(t, text(d.ana.Ask("GET", "/office/tsne", nil).Page), "1 request of yours Refund $51 Waits for a second person")
	got := d.ben.PostOffice(path, url.Values{"do": {"decline"}, "hash": {hash}, "why": {strings.Repeat("x", 501)}})
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, `id="why-error"`)
	got = d.ben.PostOffice(path, url.Values{"do": {"decline"}, "hash": {hash}, "why": {" Wrong gift "}})
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	require.Contains(t, text(d.ana.Ask("GET", got.Header.Get("Location"), nil).Page), "Ben declined it. Wrong gift")
	page := text(d.ana.Ask("GET", "/office/tsne", nil).Page)
	require.Contains(t, page, "Refund $51 Declined Ben declined it.")
	require.Contains(t, page, "Reason: Wrong gift")
	require.Contains(t, page, "All is done")
	require.NotContains(t, text(d.ben.Ask("GET", "/office/tsne", nil).Page), "of yours")
	require.Equal(t, 409, d.ben.PostOffice(path, url.Values{"do": {"approve"}, "hash": {hash}, "code": {d.ben.Code()}}).StatusCode)
	path, hash = ask()
	require.Equal(t, 409, d.ben.PostOffice(path, url.Values{"do": {"withdraw"}}).StatusCode, "it is Ana's")
	got = d.ana.PostOffice(path, url.Values{"do": {"withdraw"}})
	require.Equal(t, 303, got.StatusCode, text(got.Page))
	require.Equal(t, 409, d.ben.PostOffice(path, url.Values{"do": {"approve"}, "hash": {hash}, "code": {d.ben.Code()}}).StatusCode)
	require.Equal(t, 2, strings.Count(d.ana.Ask("GET", "/office/tsne/approvals?list=decided", nil).Page, "data-row"))
	require.Equal(t, 404, d.ana.PostOffice(path, url.Values{"do": {"burn"}, "hash": {hash}}).StatusCode)
	require.Empty(t, d.orders())
}

// TestWhatChangedInBetween: between the request and the approval the gift was refunded in the dashboard, or the donor erased.
// The second person sees that it cannot be done, and approving does neither half.
func TestWhatChangedInBetween(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	got := d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "50", "network": "20"}), "code", d.ana.Code()))
	path, _, _ := strings.Cut(got.Header.Get("Location"), "?")
	hash := visitor.HiddenFields(d.ben.Ask("GET", path, nil).Page).Get("hash")
	_, err := d.Fake.Refund(d.IntentOf(d.gift), 4000)
	require.NoError(t, err)
	d.settle()
	page := d.ben.Ask("GET", path, nil)
	require.Contains(t, text(page.Page), "A fund has less of this gift")
	require.NotContains(t, page.Page, `id="approve"`)
	require.Contains(t, page.Page, `id="decline"`)
	got = d.ben.PostOffice(path, url.Values{"do": {"approve"}, "hash": {hash}, "code": {d.ben.Code()}})
	require.Equal(t, 409, got.StatusCode, text(got.Page))
	require.Equal(t, []string{"0 0"}, d.Lines(`SELECT format('%s %s', (SELECT count(*) FROM approval), (SELECT count(*) FROM refund_order))`))
}

// TestWhoOrders: a project's finance sees why not and whom to ask, admins and auditors read, data entry sees nothing, and staff
// of another entity or project the same as for a gift that does not exist.
func TestWhoOrders(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	project := d.member("project", staff.Finance, "tsne", "csio")
	got := project.Ask("GET", d.path()+"?org=csio", nil)
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, text(got.Page), "its finance orders refunds of your gifts")
	require.NotContains(t, got.Page, `id="refund"`)
	got = project.PostOffice(d.path()+"?org=csio", with(form(map[string]string{"general": "1"}), "code", project.Code()))
	require.Equal(t, 403, got.StatusCode)
	require.Equal(t, d.path()+"?org=csio", project.Ask("GET", d.path(), nil).Header.Get("Location"), "without its scope")
	for _, role := range []staff.RoleName{staff.Admin, staff.Auditor} {
		m := d.member(string(role), role, "tsne", "")
		if got := m.Ask("GET", d.path(), nil); role == staff.Auditor {
			require.Equal(t, 200, got.StatusCode)
			require.Contains(t, text(got.Page), "Refunds are ordered by people with the role Finance")
			require.Contains(t, text(got.Page), "Ask Ana and Ben")
		} else {
			require.Equal(t, 404, got.StatusCode, "an admin has no money rights by being admin")
		}
		require.Equal(t, 404, m.PostOffice(d.path(), with(form(map[string]string{"general": "1"}), "code", m.Code())).StatusCode)
	}
	require.Equal(t, 404, d.member("entry", staff.Entry, "tsne", "").Ask("GET", d.path(), nil).StatusCode)
	require.Empty(t, d.orders())

	asked := d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "50", "network": "20"}), "code", d.ana.Code()))
	approval, _, _ := strings.Cut(asked.Header.Get("Location"), "?")
	hash := visitor.HiddenFields(d.ben.Ask("GET", approval, nil).Page).Get("hash")
	require.Equal(t, 200, project.Ask("GET", approval+"?org=csio", nil).StatusCode, "a project sees what is asked about its gifts")
	require.Equal(t, 403, project.PostOffice(approval+"?org=csio", url.Values{"do": {"approve"}, "hash": {hash}, "code": {project.Code()}}).StatusCode)
	strangers := map[string]*visitor.Member{"aina": d.member("stranger", staff.Finance, "aina", "")}
	for _, m := range strangers {
		for _, path := range []string{d.path(), approval} {
			there := strings.Replace(path, "/tsne/", "/aina/", 1)
			missing := regexp.MustCompile(`[^/]{20,}`).ReplaceAllString(there, uuid.Nil.String())
			want := m.Ask("GET", missing, nil)
			require.Equal(t, 404, want.StatusCode)
			got := m.Ask("GET", there, nil)
			require.Equal(t, 404, got.StatusCode)
			require.Equal(t, want.Page, got.Page)
			require.Equal(t, 404, m.PostOffice(there, with(form(map[string]string{"general": "1"}), "do", "approve", "hash", hash, "code", m.Code())).StatusCode)
		}
		require.Contains(t, text(m.Ask("GET", "/office/aina/refunds", nil).Page), "No refund is here")
		require.Contains(t, text(m.Ask("GET", "/office/aina/approvals?list=all", nil).Page), "Nobody asked")
	}
	require.Empty(t, d.orders())
}

// TestMoneyNeedsAPasskey: where the entity asks for passkeys, a code orders and approves nothing, and the page says what to do.
func TestMoneyNeedsAPasskey(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	got := d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "50", "network": "20"}), "code", d.ana.Code()))
	path, _, _ := strings.Cut(got.Header.Get("Location"), "?")
	hash := visitor.HiddenFields(d.ben.Ask("GET", path, nil).Page).Get("hash")
	d.Exec(`UPDATE legal_entity SET money_factor = 'passkey'`) // the pages read it again within a minute
	got = d.ben.PostOffice(path, url.Values{"do": {"approve"}, "hash": {hash}, "code": {d.ben.Code()}})
	require.Equal(t, 409, got.StatusCode, text(got.Page))
	require.Contains(t, text(got.Page), "Money moves here by a passkey")
	got = d.ana.PostOffice(d.path(), with(form(map[string]string{"building": "1"}), "code", d.ana.Code()))
	require.Equal(t, 422, got.StatusCode, text(got.Page))
	require.Contains(t, text(got.Page), "who has just used a second factor")
	require.Empty(t, d.orders())

	d = newDesk(t, "passkey")
	got = d.ana.PostOffice(d.path(), with(form(map[string]string{"general": "1"}), "code", d.ana.Code()))
	require.Equal(t, 422, got.StatusCode, text(got.Page))
	require.Contains(t, text(got.Page), "Money moves here by a passkey, and you have none")
	require.NotContains(t, got.Page, `id="code"`)
	require.Empty(t, d.orders())
}

// TestListOfRefunds: orders and refunds of the dashboard are in one list with filters; a page after another loses none and shows
// none twice, though all have the same time.
func TestListOfRefunds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made, err := d.Fake.Refund(d.IntentOf(d.gift), 1000)
	require.NoError(t, err)
	d.settle()
	const orders = 2*50 + 1
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 9000`)
	for i := range orders {
		fund := []string{"general", "network"}[i%2]
		got := d.ana.PostOffice(d.path(), form(map[string]string{fund: fmt.Sprintf("0.%02d", i%99+1)}))
		require.Equal(t, 303, got.StatusCode, text(got.Page))
		if i%50 == 0 {
			d.Exec(`DELETE FROM guard_count`)
		}
	}
	d.Exec(`ALTER TABLE refund_order DISABLE TRIGGER refund_order_steps`)
	d.Exec(`UPDATE refund_order SET ordered_at = (SELECT at FROM payment_change WHERE kind = 'refund')`)
	d.Exec(`ALTER TABLE refund_order ENABLE TRIGGER refund_order_steps`)
	seen, path, pages := map[string]int{}, "/office/tsne/refunds", 0
	for ; path != "" && pages < 10; pages++ {
		page := d.ana.Ask("GET", path, nil).Page
		for _, row := range regexp.MustCompile(`(?s)<tr data-row>.*?</tr>`).FindAllString(page, -1) {
			seen[regexp.MustCompile(`\$[0-9.]+`).FindString(row)]++
		}
		path = ""
		if link := regexp.MustCompile(`<a href="([^"]+)" rel="next"`).FindStringSubmatch(page); link != nil {
			path = strings.ReplaceAll(link[1], "&amp;", "&")
		}
	}
	require.Equal(t, 3, pages)
	require.Len(t, seen, 99+1)
	for amount, n := range seen {
		want := map[bool]int{true: 2, false: 1}[amount == "$0.01" || amount == "$0.02"]
		require.Equal(t, want, n, amount)
	}
	got := d.ana.Ask("GET", "/office/tsne/refunds?origin=stripe", nil)
	require.Contains(t, text(got.Page), "1 refund, $10")
	require.Equal(t, 2, strings.Count(text(got.Page), "Made in Stripe's dashboard"), "the filter, and the row")
	require.Contains(t, got.Page, "/office/tsne/gifts/"+d.gift.PublicRef)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(d.ana.Ask("GET", "/office/tsne/refunds?origin=stripe&format=csv", nil).Page, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"gift", "refund", "charge"}, rows[0][7:10])
	require.Equal(t, []string{d.gift.PublicRef, made, *d.Gift(d.gift.ID).ChargeID}, rows[1][7:10])
	require.NotContains(t, got.Page, made, "the page has no column for it")
	require.Contains(t, text(d.ana.Ask("GET", "/office/tsne/refunds?state=succeeded", nil).Page), "1 refund, $10")
	require.Contains(t, text(d.ana.Ask("GET", "/office/tsne/refunds?state=failed", nil).Page), "No refund is here")
	require.Contains(t, text(d.ana.Ask("GET", "/office/tsne/refunds?state=waiting", nil).Page), "50 refunds")
	project := d.member("project", staff.Finance, "tsne", "csio")
	require.Contains(t, text(project.Ask("GET", "/office/tsne/refunds?org=csio&origin=stripe", nil).Page), "1 refund, $10")
}
