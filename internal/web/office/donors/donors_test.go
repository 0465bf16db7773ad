package donors_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/privacy"
	"konbit/internal/office/setup"
	"konbit/internal/people/staff"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// secondProject is another project of the sponsor of csio.
const secondProject = `
entities:
  - slug: tsne
    legal_name: TSNE MissionWorks
    ein: "12-3456789"
    address: {line1: "1 Example Street", city: Boston, region: MA, postal_code: "02111", country: US}
    timezone: America/New_York
    currency: USD
    mail_from: "TSNE MissionWorks <gifts@tsne.example>"
    processing_fee: {borne_by: fund, estimate: {basis_points: 290, fixed: 30}}
    sponsor_fee: {basis_points: 700, of: gross}
organisations:
  - slug: selva
    entity: tsne
    name: {en: Selva}
    sponsored: true
    languages: [en]
    amounts: {presets: [10, 20], minimum: 5, maximum: 25000}
    frequencies: [once, monthly]
    funds:
      - slug: trees
        name: {en: Trees}
        restriction: purpose
        purpose: {en: trees}
`

// office is a program with donors of csio and of selva, two projects of tsne, and staff.
type office struct {
	*program.Program
	t *testing.T

	ana, bea uuid.UUID // donors: of csio, with a monthly gift; of selva

	finance, project, auditor *visitor.Member // of tsne; of csio; of tsne
}

func newOffice(t *testing.T) office {
	t.Parallel()
	h := program.New(t, program.Options{})
	file, err := setup.Read("second.yaml", []byte(secondProject))
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), h.DB.Owner, file, time.Now(), program.NewID, false)
	require.NoError(t, err)
	o := office{Program: h, t: t}
	o.ana = o.give("csio", "general", "ana@example.org", "Ana", "Pérez", "monthly").DonorID
	o.bea = o.give("selva", "trees", "bea@example.org", "Bea", "Lima", "once").DonorID
	o.finance = visitor.NewMember(t, h, "clara@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	o.project = visitor.NewMember(t, h, "marta@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", "csio"))
	o.auditor = visitor.NewMember(t, h, "noor@staff.example", staff.Auditor, visitor.ScopeOf(t, h, "tsne", ""))
	h.StartWorkers()
	o.DrainAll()
	return o
}

// give makes a paid gift, with its emails.
func (o office) give(organisation, fund, email, first, last, frequency string) donation.Donation {
	o.t.Helper()
	f := program.ValidForm()
	f.Fund, f.Frequency = fund, frequency
	f.Contact.Email, f.Contact.FirstName, f.Contact.LastName = email, first, last
	f.Contact.AddressLine1, f.Contact.City, f.Contact.PostalCode = "7 Rue "+last, "Cambridge", "02139"
	g, err := o.SubmitFor(organisation, f)
	require.NoError(o.t, err)
	o.Pay(g.Donation)
	o.DeliverNew()
	o.Program.DrainAll()
	if o.Working() {
		o.DrainAll()
	}
	return o.Gift(g.Donation.ID)
}

// path returns the address of a page about a donor; scope is empty, or ?org=….
func path(donor uuid.UUID, act, scope string) string {
	return strings.TrimSuffix("/office/tsne/donors/"+donor.String()+"/"+act, "/") + scope
}

// audited returns the acts of the audit log about an object, oldest first.
func (o office) audited(object string) []string {
	return o.Lines(`SELECT act || ' ' || (staff_id IS NOT NULL) || ' ' || reason FROM audit_entry WHERE object_id = $1 AND act <> 'receipt.opened' ORDER BY serial`, object)
}

// DrainAll waits until all events and jobs that are due are done.
func (o office) DrainAll() {
	o.t.Helper()
	o.Program.DrainAll()
	testkit.Eventually(o.t, time.Minute, func() error {
		due := o.Lines(`SELECT kind || ' ' || state FROM river_job WHERE state IN ('available', 'running', 'pending') OR state IN ('scheduled', 'retryable') AND scheduled_at <= now()
			UNION ALL SELECT type || ' ' || state FROM stripe_event WHERE done_at IS NULL AND state <> 'parked'`)
		if len(due) > 0 {
			return fmt.Errorf("jobs are due: %v", due)
		}
		return nil
	})
}

// formOf returns a form of a page with what it contains, and the reason.
func (o office) formOf(m *visitor.Member, path, do string) visitor.Form {
	o.t.Helper()
	got := m.Ask("GET", path, nil)
	require.Equal(o.t, 200, got.StatusCode, got.Page)
	return visitor.FormOn(o.t, got.Page, "do", do).Fill("reason", "asked by phone")
}

func (o office) latest(donor uuid.UUID) receipt.Receipt {
	o.t.Helper()
	var gift uuid.UUID
	require.NoError(o.t, o.DB.Owner.Get(&gift, `SELECT id FROM donation WHERE donor_id = $1 AND status = 'settled' ORDER BY created_at DESC LIMIT 1`, donor))
	all, err := receipt.Latest(o.t.Context(), o.DB.Server, []uuid.UUID{gift})
	require.NoError(o.t, err)
	return all[gift]
}

// TestListAndSearch: by name, postal address, email and receipt's number, each within the reader's scope; and as a file.
func TestListAndSearch(t *testing.T) {
	o := newOffice(t)
	number := func(donor uuid.UUID) string { return o.latest(donor).Reference() }
	for text, want := range map[string]string{
		"": "AB", "per": "A", "pérez ana": "A", "ANA@example.org": "A", "ana@example.net": "", number(o.bea): "B", strings.ToLower(number(o.ana)): "A",
		"cambridge": "AB", "02139 lima": "B", "rue perez": "A", "...": "", "nobody": "", "' | ''": "", "TSNE-2020-000001": "",
	} {
		for who, m := range map[string]*visitor.Member{"finance": o.finance, "auditor": o.auditor, "project": o.project} {
			scope := map[string]string{"project": "&org=csio"}[who]
			got := m.Ask("GET", "/office/tsne/donors?q="+url.QueryEscape(text)+scope, nil)
			require.Equal(t, 200, got.StatusCode, got.Page)
			found := ""
			for letter, name := range map[string]string{"A": "Ana Pérez", "B": "Bea Lima"} {
				if strings.Contains(got.Page, name+"</a>") {
					found += letter
				}
			}
			expected := want
			if who == "project" {
				expected = strings.ReplaceAll(want, "B", "")
			}
			assert.ElementsMatch(t, strings.Split(expected, ""), strings.Split(found, ""), "%s: %q", who, text)
		}
	}
	got := o.finance.Ask("GET", "/office/tsne/donors?org=selva", nil)
	require.Contains(t, got.Page, "Bea Lima")
	require.NotContains(t, got.Page, "Ana Pérez")
	require.Equal(t, 303, o.project.Ask("GET", "/office/tsne/donors", nil).StatusCode, "to the project's own")
	require.Equal(t, 404, o.project.Ask("GET", "/office/tsne/donors?org=selva", nil).StatusCode)
	require.Equal(t, 404, o.finance.Ask("GET", "/office/aina/donors", nil).StatusCode)

	got = o.project.Ask("GET", "/office/tsne/donors?org=csio&format=csv", nil)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.Page, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, []string{"donor", "last_gift", "gifts", "this_year", "last_year", "email", "currency"}, rows[0])
	require.Equal(t, []string{"Ana Pérez", "1", "20.00", "0.00", "ana@example.org"}, []string{rows[1][0], rows[1][2], rows[1][3], rows[1][4], rows[1][5]})
}

// TestPagesOfTheList: each donor is on one page, in the order of their newest gift, and of their names in a search.
func TestPagesOfTheList(t *testing.T) {
	o := newOffice(t)
	o.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, first_gift_at, created_at)
		SELECT gen_random_uuid(), d.entity_id, 'n' || n || '@many.example', 'Many', 'No ' || lpad(n::text, 3, '0'), 'en', now(), now() FROM donor d, generate_series(1, 60) n WHERE d.id = $1`, o.ana)
	o.Exec(`ALTER TABLE donation DISABLE TRIGGER USER`)
	o.Exec(`INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, anonymous, news, created_at,
		charged_at, settled_at, tax_date, source)
		SELECT gen_random_uuid(), g.entity_id, g.organisation_id, d.id, 'ref' || d.id || k, 'settled', 'once', 1000, 0, 'USD', 'en', false, false, now() - k * interval '1 day', now() - k * interval '1 day', now(), current_date, 'office'
		  FROM donation g, donor d, generate_series(1, 2) k WHERE g.donor_id = '` + o.ana.String() + `' AND d.email LIKE '%@many.example'`)
	o.Exec(`ALTER TABLE donation ENABLE TRIGGER USER`)
	for _, first := range []string{"/office/tsne/donors", "/office/tsne/donors?q=many", "/office/tsne/donors?org=csio"} {
		seen, pages := map[string]int{}, 0
		for next := first; next != ""; pages++ {
			got := o.finance.Ask("GET", next, nil)
			require.Equal(t, 200, got.StatusCode)
			for _, found := range regexp.MustCompile(`>(Many No \d+)</a>`).FindAllStringSubmatch(got.Page, -1) {
				seen[found[1]]++
			}
			next = ""
			if found := regexp.MustCompile(`<a href="([^"]+)" rel="next">`).FindStringSubmatch(got.Page); found != nil {
				next = strings.ReplaceAll(found[1], "&amp;", "&")
			}
		}
		require.Equal(t, 2, pages, first)
		require.Len(t, seen, 60, first)
		for name, times := range seen {
			require.Equal(t, 1, times, name)
		}
	}
}

// TestRecord: one page has everything about a donor, and its visit is in the audit log. A project's staff see what belongs to
// the project.
func TestRecord(t *testing.T) {
	o := newOffice(t)
	o.give("selva", "trees", "ana@example.org", "Ana", "Pérez", "once")
	got := o.finance.Ask("GET", path(o.ana, "", ""), nil)
	require.Equal(t, 200, got.StatusCode, got.Page)
	for _, text := range []string{
		"Ana Pérez", "2 gifts, $40 in all", "ana@example.org", "7 Rue Pérez", "Trees", "$20 a month", "active", "TSNE-", "accepted by the mail server", "Receipt", "Notes of staff", "valid",
	} {
		assert.Contains(t, got.Page, text)
	}
	require.Equal(t, []string{"donor.opened true "}, o.audited(o.ana.String()))
	got = o.project.Ask("GET", path(o.ana, "", "?org=csio"), nil)
	require.Equal(t, 200, got.StatusCode, got.Page)
	require.Contains(t, got.Page, "1 gift, $20 in all")
	require.NotContains(t, got.Page, "Trees")
	require.NotContains(t, got.Page, path(o.ana, "details", ""), "a donor belongs to the entity")
	require.Len(t, o.audited(o.ana.String()), 2)
	require.Equal(t, 200, o.auditor.Ask("GET", path(o.ana, "", ""), nil).StatusCode)
	spanish := o.finance.Ask("GET", path(o.ana, "", "?lang=es"), nil)
	require.Contains(t, spanish.Page, "2 donaciones, $40 en total")
	require.Contains(t, o.finance.Ask("GET", path(o.ana, "", "?org=selva"), nil).Page, "1 gift, $20 in all")
	before := o.Count(`SELECT count(*) FROM audit_entry`)
	for _, m := range []*visitor.Member{o.project, o.finance} {
		require.Equal(t, 404, m.Ask("GET", path(o.bea, "", "?org=csio"), nil).StatusCode, "she gave nothing to csio")
	}
	require.Equal(t, before, o.Count(`SELECT count(*) FROM audit_entry`))
}

// TestNobodyElse: every route answers everybody who may not use it as for a donor who does not exist, and does nothing.
func TestNobodyElse(t *testing.T) {
	o := newOffice(t)
	gi := visitor.NewMember(t, o.Program, "abel@staff.example", staff.Finance, visitor.ScopeOf(t, o.Program, "aina", ""))
	entry := visitor.NewMember(t, o.Program, "june@staff.example", staff.Entry, visitor.ScopeOf(t, o.Program, "tsne", ""))
	plan, r := o.Lines(`SELECT id::text FROM plan`)[0], o.latest(o.ana)
	acts := map[string]string{"plans/" + plan: "cancel", "receipts/" + r.ID.String(): "resend", "details": "details", "erasure": "erasure"}
	before := o.Count(`SELECT count(*) FROM audit_entry`)
	for act, do := range acts {
		missing := path(uuid.New(), act, "")
		want := o.finance.Ask("GET", missing, nil)
		require.Equal(t, 404, want.StatusCode, act)
		form := func() url.Values {
			return url.Values{"submission": {uuid.NewString()}, "do": {do}, "reason": {"none of yours"}, "first_name": {"X"}, "code": {"000000"}}
		}
		for who, m := range map[string]*visitor.Member{"another entity": gi, "entry": entry, "auditor": o.auditor} {
			assert.Equal(t, 404, m.Ask("GET", path(o.ana, act, ""), nil).StatusCode, "%s %s", who, act)
			assert.Equal(t, 404, m.PostOffice(path(o.ana, act, ""), form()).StatusCode, "%s %s", who, act)
		}
		other := path(o.bea, act, "?org=csio")
		assert.Equal(t, 404, o.project.Ask("GET", other, nil).StatusCode, act)
		assert.Equal(t, 404, o.project.PostOffice(other, form()).StatusCode, act)
		if act == "details" || act == "erasure" {
			own := path(o.ana, act, "?org=csio")
			assert.Equal(t, 404, o.project.Ask("GET", own, nil).StatusCode, act)
			assert.Equal(t, 404, o.project.PostOffice(own, form()).StatusCode, act)
		}
		// an object of another donor
		assert.Equal(t, 404, o.finance.PostOffice(path(uuid.New(), act, ""), form()).StatusCode, act)
	}
	assert.Equal(t, 404, o.finance.PostOffice(path(o.bea, "plans/"+plan, ""), url.Values{"submission": {uuid.NewString()}, "do": {"cancel"}, "reason": {"x"}}).StatusCode)
	assert.Equal(t, 404, o.finance.PostOffice(path(o.bea, "receipts/"+r.ID.String(), ""), url.Values{"submission": {uuid.NewString()}, "do": {"resend"}, "reason": {"x"}}).StatusCode)
	own := path(o.ana, "receipts/"+r.ID.String(), "?org=csio")
	assert.Equal(t, 404, o.project.PostOffice(own, url.Values{"submission": {uuid.NewString()}, "do": {"redirect"}, "reason": {"x"}, "email": {"x@example.org"}}).StatusCode)
	require.Equal(t, before, o.Count(`SELECT count(*) FROM audit_entry`))
	require.Zero(t, o.Count(`SELECT count(*) FROM erasure`))
	require.Zero(t, o.Count(`SELECT count(*) FROM plan_request WHERE asked_by <> 'konbit'`))
	require.Equal(t, 401, visitor.New(t, o.Program).Ask("GET", path(o.ana, "", ""), nil).StatusCode)
	require.Equal(t, 403, o.finance.Ask("POST", path(o.ana, "erasure", ""), url.Values{"submission": {uuid.NewString()}, "reason": {"x"}, "do": {"erasure"}}).StatusCode, "no token")
}

// TestPauseAndStop: a recurring gift is paused and stopped for a donor who phones, here and at Stripe; once for each form, with
// the donor's usual email and an entry in the audit log. A project's finance may do it for the project's gifts.
func TestPauseAndStop(t *testing.T) {
	o := newOffice(t)
	plan := o.Lines(`SELECT id::text FROM plan`)[0]
	page := path(o.ana, "plans/"+plan, "?org=csio")
	form := o.formOf(o.project, page, "pause")
	form.Fill("months", "2")
	check := o.project.PostOffice(page, form.Values)
	require.Equal(t, 200, check.StatusCode, check.Page)
	require.Contains(t, check.Page, "Pause this gift?")
	require.Contains(t, check.Page, "the next charge is on")
	require.Equal(t, []string{"active"}, o.Lines(`SELECT status FROM plan`), "nothing is done before the check")
	form = visitor.FormOn(t, check.Page, "do", "pause")
	for range 2 {
		got := o.project.PostOffice(page, form.Values)
		require.Equal(t, 303, got.StatusCode, got.Page)
		o.DrainAll()
	}
	require.Equal(t, []string{"paused"}, o.Lines(`SELECT status FROM plan`))
	require.Equal(t, []string{"pause true"}, o.Lines(`SELECT kind || ' ' || (asked_by = 'staff ' || $1) FROM plan_request WHERE kind = 'pause'`, o.project.ID.String()))
	require.Equal(t, []string{"plan.paused true asked by phone"}, o.audited(plan))
	require.Equal(t, 1, o.emails("plan_paused"))
	old := form
	old.Values = maps.Clone(form.Values)
	form.Fill("months", "3")
	got := o.project.PostOffice(page, form.Values)
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, "said something else")

	form.Fill("months", "2")
	require.Equal(t, 422, o.finance.PostOffice(page, form.Values).StatusCode, "the form of another person")

	form = o.formOf(o.finance, path(o.ana, "plans/"+plan, ""), "resume")
	for range 2 {
		got = o.finance.PostOffice(path(o.ana, "plans/"+plan, ""), form.Values)
		require.Equal(t, 303, got.StatusCode, got.Page)
		o.DrainAll()
	}
	require.Equal(t, []string{"active"}, o.Lines(`SELECT status FROM plan`))
	says := func(m *visitor.Member, to string) string { return m.Ask("GET", to, nil).Page }
	require.Contains(t, says(o.finance, got.Header.Get("Location")), "The gift goes on.")
	again := o.project.PostOffice(page, old.Values)
	require.Equal(t, 303, again.StatusCode, again.Page)
	for _, to := range []string{again.Header.Get("Location"), path(o.ana, "", "?org=csio&said=plan_paused")} {
		require.NotContains(t, says(o.project, to), "The gift is paused", "an old form, and an old address")
		require.Contains(t, says(o.project, to), "The gift is active now")
	}
	changes := visitor.NewMember(t, o.Program, "vera@staff.example", staff.Auditor, visitor.ScopeOf(t, o.Program, "tsne", "")).Ask("GET", "/office/tsne/audit?act=plan", nil).Page
	require.Contains(t, changes, "state: active → paused")
	require.Contains(t, changes, "state: paused → active")
	require.Equal(t, 1, o.emails("plan_resumed"))
	require.Equal(t, []string{"plan.paused true asked by phone", "plan.resumed true asked by phone"}, o.audited(plan))
	require.NotContains(t, o.finance.Ask("GET", path(o.ana, "plans/"+plan, ""), nil).Page, `value="resume"`)

	form = o.formOf(o.finance, path(o.ana, "plans/"+plan, ""), "cancel")
	form.Fill("reason", "")
	got = o.finance.PostOffice(path(o.ana, "plans/"+plan, ""), form.Values)
	require.Equal(t, 422, got.StatusCode, "why?")
	form.Fill("reason", "lost the job; by phone")
	check = o.finance.PostOffice(path(o.ana, "plans/"+plan, ""), form.Values)
	require.Contains(t, check.Page, "Stop this gift?")
	require.Equal(t, []string{"active"}, o.Lines(`SELECT status FROM plan`))
	form = visitor.FormOn(t, check.Page, "do", "cancel")
	for range 2 {
		got = o.finance.PostOffice(path(o.ana, "plans/"+plan, ""), form.Values)
		require.Equal(t, 303, got.StatusCode, got.Page)
		o.DrainAll()
	}
	require.Equal(t, []string{"cancelled asked"}, o.Lines(`SELECT status || ' ' || ended_because FROM plan`))
	require.Equal(t, []string{"plan.paused true asked by phone", "plan.resumed true asked by phone", "plan.cancelled true lost the job; by phone"}, o.audited(plan))
	require.Equal(t, 1, o.emails("plan_cancelled"))
	subscription := o.Lines(`SELECT subscription_id FROM plan`)[0]
	atStripe, err := o.Stripe.ReadSubscription(t.Context(), "tsne", subscription)
	require.NoError(t, err)
	require.Equal(t, "canceled", atStripe.Status)
	got = o.finance.Ask("GET", path(o.ana, "plans/"+plan, ""), nil)
	require.Contains(t, got.Page, "has ended")
	form.Values = url.Values{"submission": {uuid.NewString()}, "do": {"cancel"}, "reason": {"again"}}
	require.Equal(t, 409, o.finance.PostOffice(path(o.ana, "plans/"+plan, ""), form.Values).StatusCode)
	require.Len(t, o.audited(plan), 3)
}

// emails returns how many emails of a kind were accepted for delivery.
func (o office) emails(kind string) int {
	return o.Count(`SELECT count(*) FROM letter_delivery d JOIN letter l ON l.id = d.letter_id WHERE l.kind = $1 AND d.accepted_at IS NOT NULL`, kind)
}

// TestCorrectDetails: what a donor told the office is stored once, and no form changes it afterwards. The audit log says which
// fields, and no value of them.
func TestCorrectDetails(t *testing.T) {
	o := newOffice(t)
	page := path(o.ana, "details", "")
	form := o.formOf(o.finance, page, "details")
	for name, value := range map[string]string{"first_name": "Ana", "last_name": "Pérez Ruiz", "address_line1": "9 New Street", "city": "Lynn", "postal_code": "01901", "country": "US", "language": "es", "phone": "x"} {
		form.Fill(name, value)
	}
	got := o.finance.PostOffice(page, form.Values)
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, `value="9 New Street"`, "what was typed stays")
	require.Contains(t, got.Page, "This is no phone number", "words for staff")
	require.NotContains(t, got.Page, "Check your")
	form.Fill("phone", "617 555 0100")
	for range 2 {
		got = o.finance.PostOffice(page, form.Values)
		require.Equal(t, 303, got.StatusCode, got.Page)
	}
	require.Equal(t, []string{"Pérez Ruiz 9 New Street es 617 555 0100"}, o.Lines(`SELECT concat_ws(' ', last_name, address_line1, language, phone) FROM donor WHERE id = $1`, o.ana))
	require.Equal(t, []string{`{"changed": ["name", "phone", "language", "address"]}`}, o.Lines(`SELECT after::text FROM audit_entry WHERE act = 'donor.corrected'`))
	o.give("csio", "general", "ana@example.org", "Ana", "Pérez", "once")
	require.Equal(t, []string{"Pérez Ruiz"}, o.Lines(`SELECT last_name FROM donor WHERE id = $1`, o.ana))
	require.Contains(t, o.finance.Ask("GET", "/office/tsne/donors?q=lynn", nil).Page, "Ana Pérez Ruiz", "found by the new address")
}

// TestDetailsOfTwo: who stores a form that is older than what another person stored is told what changed; what they typed stays.
func TestDetailsOfTwo(t *testing.T) {
	o := newOffice(t)
	page := path(o.ana, "details", "")
	mine, theirs := o.formOf(o.finance, page, "details"), o.formOf(o.finance, page, "details")
	require.Equal(t, "7 Rue Pérez", mine.Get("address_line1"), "the address typed with the gift")
	require.Contains(t, o.finance.Ask("GET", page, nil).Page, "was typed with the gift of")
	theirs.Fill("last_name", "Pérez Ruiz", "phone", "617 555 0100", "country", "US")
	require.Equal(t, 303, o.finance.PostOffice(page, theirs.Values).StatusCode)
	mine.Fill("last_name", "Paz", "country", "US")
	got := o.finance.PostOffice(page, mine.Values)
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, "Somebody else changed this to “Pérez Ruiz”")
	require.Contains(t, got.Page, "Somebody else changed this to “617 555 0100”")
	require.Equal(t, []string{"Pérez Ruiz 617 555 0100"}, o.Lines(`SELECT last_name || ' ' || phone FROM donor WHERE id = $1`, o.ana))
	mine = visitor.FormOn(t, got.Page, "do", "details")
	require.Equal(t, "Paz", mine.Get("last_name"), "what was typed stays")
	require.Equal(t, 303, o.finance.PostOffice(page, mine.Values).StatusCode, "now they know")
	require.Equal(t, []string{"Paz "}, o.Lines(`SELECT last_name || ' ' || phone FROM donor WHERE id = $1`, o.ana))

	half := o.formOf(o.finance, page, "details").Fill("city", "")
	got = o.finance.PostOffice(page, half.Values)
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, "An address needs street, city, postal code and country")
	half.Fill("address_line1", "", "address_line2", "", "region", "", "postal_code", "", "country", "")
	require.Equal(t, 303, o.finance.PostOffice(page, half.Values).StatusCode, "or none")
}

// TestSendAgain: the same email goes to the same donor again, once for each form.
func TestSendAgain(t *testing.T) {
	o := newOffice(t)
	r := o.latest(o.ana)
	page := path(o.ana, "receipts/"+r.ID.String(), "?org=csio")
	form := o.formOf(o.project, page, "resend")
	for range 2 {
		got := o.project.PostOffice(page, form.Values)
		require.Equal(t, 303, got.StatusCode, got.Page)
	}
	o.DrainAll()
	require.Equal(t, []string{"first konbit ana@example.org t", "resend staff " + o.project.ID.String() + " ana@example.org t"}, o.Lines(`SELECT concat_ws(' ', d.cause,
		CASE WHEN d.cause = 'first' THEN 'konbit' ELSE d.ordered_by END, d.recipient, d.accepted_at IS NOT NULL)
		  FROM letter_delivery d JOIN letter l ON l.id = d.letter_id WHERE l.subject_id = $1 ORDER BY d.ordered_at`, r.ID))
	require.Equal(t, []string{"receipt.sent_again true asked by phone"}, o.audited(r.ID.String()))
	again := o.project.PostOffice(page, o.formOf(o.project, page, "resend").Values)
	require.Equal(t, 422, again.StatusCode, "once a minute")
	require.Contains(t, again.Page, "less than a minute ago")
	o.Exec(`ALTER TABLE letter_delivery DISABLE TRIGGER USER; UPDATE letter_delivery SET ordered_at = ordered_at - interval '2 minutes';
		ALTER TABLE letter_delivery ENABLE TRIGGER USER`)
	again = o.project.PostOffice(page, o.formOf(o.project, page, "resend").Values)
	require.Equal(t, 303, again.StatusCode, again.Page)
	require.NotContains(t, o.project.Ask("GET", page, nil).Page, `value="redirect"`)
	require.Equal(t, 4, o.Count(`SELECT count(*) FROM audit_entry WHERE act = 'receipt.opened' AND object_id = $1 AND staff_id = $2`, r.ID, o.project.ID))
}

// TestOtherAddress: the gift moves to the donor with the right address, with all payments of its plan, and the receipt goes there.
func TestOtherAddress(t *testing.T) {
	o := newOffice(t)
	r := o.latest(o.ana)
	page := path(o.ana, "receipts/"+r.ID.String(), "")
	form := o.formOf(o.finance, page, "redirect")
	form.Fill("email", "ana@")
	wrong := o.finance.PostOffice(page, form.Values)
	require.Equal(t, 422, wrong.StatusCode)
	require.Contains(t, wrong.Page, "This is no email address", "words for staff")
	require.NotContains(t, wrong.Page, "your e-mail")
	form.Fill("email", "ana@example.org")
	same := o.finance.PostOffice(page, form.Values)
	require.Equal(t, 422, same.StatusCode)
	require.Contains(t, same.Page, "has this address already")
	form.Fill("email", "Ana.Perez@example.net")
	check := o.finance.PostOffice(page, form.Values)
	require.Equal(t, 200, check.StatusCode, check.Page)
	for _, says := range []string{"Move this gift?", "ana.perez@example.net", "ana@example.org", "nobody here has this address yet", "with all its payments"} {
		require.Contains(t, check.Page, says)
	}
	require.Equal(t, o.ana, o.Gift(r.DonationID).DonorID, "nothing is done before the check")
	o.Exec(`UPDATE donation_contact SET address_line1 = '1 Old Street', city = 'Lynn', postal_code = '01901', country = 'US' WHERE donation_id = $1`, r.DonationID)
	form = visitor.FormOn(t, check.Page, "do", "redirect")
	var got visitor.Response
	for range 2 {
		got = o.finance.PostOffice(page, form.Values)
		require.Equal(t, 303, got.StatusCode, got.Page)
	}
	o.DrainAll()
	right := o.Gift(r.DonationID).DonorID
	require.Equal(t, path(right, "", "?said=receipt_moved"), got.Header.Get("Location"))
	require.NotEqual(t, o.ana, right)
	require.Equal(t, []string{"ana.perez@example.net 1 Old Street Lynn"}, o.Lines(`SELECT concat_ws(' ', email, address_line1, city) FROM donor WHERE id = $1`, right), "the postal address goes along")
	require.Equal(t, []string{right.String()}, o.Lines(`SELECT donor_id::text FROM plan`))
	require.Equal(t, []string{"receipt.redirected true asked by phone"}, o.audited(r.ID.String()))
	require.Equal(t, 1, o.Count(`SELECT count(*) FROM letter_delivery d JOIN letter l ON l.id = d.letter_id WHERE l.subject_id = $1 AND d.recipient = 'ana.perez@example.net' AND d.accepted_at IS NOT NULL`, r.ID))
	got = o.finance.Ask("GET", path(o.ana, "", ""), nil)
	require.Contains(t, got.Page, path(right, "", ""), "the record before leads to the right one")
	require.NotContains(t, o.finance.Ask("GET", "/office/tsne/donors", nil).Page, "ana@example.org")
	require.Contains(t, o.finance.Ask("GET", "/office/tsne/donors?q=perez", nil).Page, "ana.perez@example.net")
}

// TestCorrectReceipt: a receipt with a number of its own replaces the one with a wrong name, once.
func TestCorrectReceipt(t *testing.T) {
	o := newOffice(t)
	r := o.latest(o.bea)
	page := path(o.bea, "receipts/"+r.ID.String(), "")
	form := o.formOf(o.finance, page, "correct")
	form.Fill("first_name", "Bea")
	form.Fill("last_name", "Lima")
	require.Equal(t, 422, o.finance.PostOffice(page, form.Values).StatusCode, "the same name")
	form.Fill("last_name", "Lima Costa")
	for range 2 {
		got := o.finance.PostOffice(page, form.Values)
		require.Equal(t, 303, got.StatusCode, got.Page)
	}
	o.DrainAll()
	now := o.latest(o.bea)
	require.Equal(t, "Bea Lima Costa", now.Facts.DonorName())
	require.Equal(t, r.ID, *now.Replaces)
	require.Equal(t, []string{"correction staff " + o.finance.ID.String()}, o.Lines(`SELECT reason || ' ' || ordered_by FROM receipt_void`))
	require.Equal(t, []string{"receipt.corrected true asked by phone"}, o.audited(r.ID.String()))
	require.Equal(t, 1, o.emails("receipt_replaced"))
	got := o.finance.Ask("GET", page, nil)
	require.Contains(t, got.Page, "replaced by a newer one")
	form.Values = url.Values{"submission": {uuid.NewString()}, "do": {"correct"}, "reason": {"again"}, "first_name": {"X"}}
	require.Equal(t, 409, o.finance.PostOffice(page, form.Values).StatusCode)
}

// TestErasure: a donor's request for erasure begins at the office, after a fresh factor, and once. The record says when it is due,
// and afterwards that the donor was erased.
func TestErasure(t *testing.T) {
	o := newOffice(t)
	stopFirst := o.finance.Ask("GET", path(o.ana, "erasure", ""), nil).Page
	require.Contains(t, stopFirst, "Stop it first", "a recurring gift is active")
	require.Contains(t, stopFirst, `<p class="pager"><a href="`+path(o.ana, "plans/"+o.Lines(`SELECT id::text FROM plan`)[0], "")+`">`)
	page := path(o.bea, "erasure", "")
	form := o.formOf(o.finance, page, "erasure")
	o.finance.Stale()
	got := o.finance.PostOffice(page, form.Values)
	require.Equal(t, 422, got.StatusCode, "no code")
	require.Zero(t, o.Count(`SELECT count(*) FROM erasure`))
	form = visitor.FormOn(t, got.Page, "do", "erasure").Fill("code", o.finance.Code())
	require.Equal(t, "asked by phone", form.Get("reason"), "what was typed stays")
	got = o.finance.PostOffice(page, form.Values)
	require.Equal(t, 303, got.StatusCode, got.Page)
	form.Del("code")
	o.finance.PostOffice(page, form.Values)
	require.Equal(t, []string{"staff " + o.finance.ID.String()}, o.Lines(`SELECT asked_by FROM erasure`))
	id := o.Lines(`SELECT id::text FROM erasure`)[0]
	require.Equal(t, []string{"erasure.requested true asked by phone"}, o.audited(id))
	require.Equal(t, 1, o.Count(`SELECT count(*) FROM river_job WHERE kind = 'erasure_letter' AND args::text LIKE '%' || $1 || '%'`, id), "the donor is told")
	got = o.finance.Ask("GET", path(o.bea, "", ""), nil)
	require.Contains(t, got.Page, "will be erased on")
	require.Contains(t, got.Page, `href="`+page+`">Withdraw the erasure</a>`)
	require.Contains(t, got.Page, "so can finance of")
	require.NotContains(t, o.auditor.Ask("GET", path(o.bea, "", ""), nil).Page, "/erasure")

	o.Exec(`UPDATE erasure SET asked_at = asked_at - interval '4 days', due_at = now() - interval '1 hour'`)
	o.AgeErasures()
	owner := o.Privacy
	owner.DB = o.DB.Owner
	_, err := owner.Prepare(t.Context(), 10)
	require.NoError(t, err)
	require.NoError(t, owner.Erase(t.Context(), uuid.MustParse(id)))
	got = o.finance.Ask("GET", path(o.bea, "", ""), nil)
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.Page, "was erased on")
	for _, gone := range []string{"Bea", "Lima", "bea@", "forgotten", "Rue"} {
		require.NotContains(t, got.Page, gone)
	}
	require.Equal(t, 404, o.finance.Ask("GET", path(o.bea, "details", ""), nil).StatusCode)
	require.Zero(t, o.Count(`SELECT count(*) FROM donor_address_word WHERE donor_id = $1`, o.bea))
	list := o.finance.Ask("GET", "/office/tsne/donors", nil)
	require.Contains(t, list.Page, "Erased donor")
	require.NotContains(t, list.Page, "forgotten")
}

// TestErasureOfOneEntity: an entity's erasure covers its own donors. What another entity has of the same person stays, with the address
// that both share and the sign-in by it, and no page says that there is anything.
func TestErasureOfOneEntity(t *testing.T) {
	o := newOffice(t)
	f := program.ValidForm()
	f.Fund = "free"
	f.Contact.Email, f.Contact.FirstName, f.Contact.LastName, f.Contact.AddressLine1 = "bea@example.org", "Bea", "Lima", "7 Rue B"
	begun, err := o.SubmitFor("aina", f)
	require.NoError(t, err)
	o.Pay(begun.Donation)
	o.DeliverNew()
	o.DrainAll()
	elsewhere := begun.Donation.DonorID
	_, err = o.SubmitFor("aina", f) // its payment page is open
	require.NoError(t, err)
	require.Equal(t, 2, o.Count(`SELECT count(DISTINCT entity_id) FROM donor WHERE email = 'bea@example.org'`))
	person := uuid.NewString()
	o.Exec(`INSERT INTO mailbox VALUES ('bea@example.org', $1, now() - interval '1 day'), ('lima@example.org', $1, now() - interval '1 day')`, person)
	o.Exec(`INSERT INTO session (id, person_id, email, sign_in_id, token_hash) VALUES (gen_random_uuid(), $1, 'bea@example.org', gen_random_uuid(), sha256('bea'))`, person)
	rows := func() (all []string) {
		for _, query := range []string{
			`SELECT d::text FROM donor d WHERE id = $1`,
			`SELECT c::text FROM donation_contact c JOIN donation g ON g.id = c.donation_id WHERE g.donor_id = $1`,
			`SELECT r::text FROM receipt r JOIN donation g ON g.id = r.donation_id WHERE g.donor_id = $1`,
			`SELECT l::text || d.recipient FROM donation g LEFT JOIN receipt r ON r.donation_id = g.id JOIN letter l ON l.subject_id IN (g.id, r.id)
				JOIN letter_delivery d ON d.letter_id = l.id WHERE g.donor_id = $1`,
			`SELECT m::text FROM mailbox m WHERE $1::uuid IS NOT NULL`, `SELECT s::text FROM session s WHERE $1::uuid IS NOT NULL`,
		} {
			all = append(all, o.Lines(query, elsewhere)...)
		}
		return all
	}
	before := rows()
	require.Contains(t, strings.Join(before, " "), "7 Rue", "this compares something")
	require.GreaterOrEqual(t, len(before), 5)

	page := path(o.bea, "erasure", "")
	form := o.formOf(o.finance, page, "erasure") // a gift on its way to another entity is no obstacle
	got := o.finance.Ask("GET", page, nil)
	require.Contains(t, got.Page, "deleted from what TSNE MissionWorks has")
	require.Equal(t, 303, o.finance.PostOffice(page, form.Values).StatusCode)
	require.Equal(t, []string{o.bea.String()}, o.Lines(`SELECT donor_id::text FROM erasure_donor`))
	id := uuid.MustParse(o.Lines(`SELECT id::text FROM erasure`)[0])
	o.Exec(`INSERT INTO erasure_donor (erasure_id, donor_id) VALUES ($1, $2)`, id, elsewhere)
	require.Equal(t, []string{o.bea.String()}, o.Lines(`SELECT donor_id::text FROM erasure_donor`), "whoever names another entity's donor")

	o.Exec(`UPDATE erasure SET asked_at = asked_at - interval '4 days', due_at = now() - interval '1 hour'`)
	o.AgeErasures()
	owner := o.Privacy
	owner.DB = o.DB.Owner
	_, err = owner.Prepare(t.Context(), 10)
	require.NoError(t, err)
	done, err := o.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, done)
	require.Equal(t, []string{"forgotten-" + o.bea.String() + "@invalid"}, o.Lines(`SELECT email FROM donor WHERE id = $1`, o.bea))
	require.Zero(t, o.Count(`SELECT count(*) FROM receipt r JOIN donation g ON g.id = r.donation_id WHERE g.donor_id = $1 AND r.facts::text LIKE '%bea@%'`, o.bea))
	require.Equal(t, before, rows())

	// A restored backup: the list erases the same donors, and the nightly comparison finds nothing.
	list, err := privacy.ListDone(t.Context(), o.DB.Owner)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, []uuid.UUID{o.bea}, list[0].Donors)
	require.NotNil(t, list[0].EntityID)
	_, err = owner.Apply(t.Context(), list)
	require.NoError(t, err)
	require.Equal(t, before, rows())
	require.NoError(t, pg.InTx(t.Context(), o.DB.Server, func(tx *sqlx.Tx) error { return o.Privacy.RecordTracesTx(t.Context(), tx) }))
	require.Empty(t, o.Lines(`SELECT subject FROM check_erased_person`))
}

// TestErasureOfTheOnlyEntity: the address goes too if no other entity has a donor with it, and a person's own request takes the place
// of an entity's.
func TestErasureOfTheOnlyEntity(t *testing.T) {
	o := newOffice(t)
	o.Exec(`INSERT INTO mailbox VALUES ('bea@example.org', gen_random_uuid(), now() - interval '1 day')`)
	page := path(o.bea, "erasure", "")
	form := o.formOf(o.finance, page, "erasure")
	require.Equal(t, 303, o.finance.PostOffice(page, form.Values).StatusCode)
	e, err := o.Privacy.Request(t.Context(), privacy.ErasureRequest{Donors: []uuid.UUID{o.bea}, Addresses: []string{"bea@example.org"},
		Recipient: "bea@example.org", Language: "en", RequestedBy: "donor", Delay: privacy.DefaultDelay})
	require.NoError(t, err)
	require.Equal(t, []string{e.ID.String()}, o.Lines(`SELECT id::text FROM erasure WHERE withdrawn_at IS NULL`))
	require.NoError(t, o.Privacy.Withdraw(t.Context(), []uuid.UUID{o.bea}))
	o.finance.Stale()
	form = o.formOf(o.finance, page, "erasure").Fill("code", o.finance.Code())
	require.Equal(t, 303, o.finance.PostOffice(page, form.Values).StatusCode)

	o.Exec(`UPDATE erasure SET asked_at = asked_at - interval '4 days', due_at = now() - interval '1 hour' WHERE withdrawn_at IS NULL`)
	o.AgeErasures()
	owner := o.Privacy
	owner.DB = o.DB.Owner
	_, err = owner.Prepare(t.Context(), 10)
	require.NoError(t, err)
	done, err := o.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, done)
	require.Zero(t, o.Count(`SELECT count(*) FROM mailbox WHERE email = 'bea@example.org'`))
	require.Equal(t, 1, o.Count(`SELECT count(*) FROM erasure_address a JOIN erasure e ON e.id = a.erasure_id WHERE e.done_at IS NOT NULL`))
}

// TestActsOfStaffNeedAnEntry: the database refuses what staff ordered without an entry in the audit log, and a search without a
// session.
func TestActsOfStaffNeedAnEntry(t *testing.T) {
	o := newOffice(t)
	plan, r := o.Lines(`SELECT id::text FROM plan`)[0], o.latest(o.bea)
	for _, by := range []string{"staff " + uuid.NewString(), "portal"} {
		for sql, args := range map[string][]any{
			`INSERT INTO plan_request (id, plan_id, kind, subject, detail, asked_by, asked_at) VALUES ($1, $2, 'cancel', $4, '{}', $3, now())`:                     {uuid.New(), plan, by, uuid.NewString()},
			`INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES ($1, now(), $2, 'en', now())`:                                                   {uuid.New(), by},
			`INSERT INTO receipt_void (receipt_id, donation_id, reason, changed_on, ordered_by, voided_at) VALUES ($1, $2, 'correction', current_date, $3, now())`: {r.ID, r.DonationID, by},
		} {
			_, err := o.DB.Server.Exec(sql, args...)
			assert.Equal(t, by != "portal", pg.Violates(err, "requires_audit"), "%s %s: %v", by, sql, err)
		}
	}
	var found []string
	require.Error(t, o.DB.Server.Select(&found, `SELECT office_find_donors(entity_id, NULL, 'ana', 10)::text FROM donor LIMIT 1`), "not as the server")
	err := pg.InTx(t.Context(), o.DB.Server, func(tx *sqlx.Tx) error {
		if _, err := tx.Exec(`SET LOCAL ROLE konbit_office`); err != nil {
			return err
		}
		return tx.Select(&found, `SELECT office_find_donors($1, NULL, 'ana', 10)::text`, o.Gift(r.DonationID).EntityID)
	})
	require.NoError(t, err)
	require.Empty(t, found, "no session")
}

// TestErasureIsWithdrawn: within its three days the office withdraws a request that it made, once. One that the donor made covers every
// legal entity, and the donor alone withdraws it.
func TestErasureIsWithdrawn(t *testing.T) {
	o := newOffice(t)
	page := path(o.bea, "erasure", "")
	require.Equal(t, 303, o.finance.PostOffice(page, o.formOf(o.finance, page, "erasure").Values).StatusCode)
	o.DrainAll()
	require.Contains(t, o.finance.Ask("GET", path(o.bea, "", ""), nil).Page, "An erasure was asked for", "among the donor's emails")
	form := o.formOf(o.finance, page, "withdraw")
	for range 2 {
		got := o.finance.PostOffice(page, form.Values)
		require.Equal(t, 303, got.StatusCode, got.Page)
	}
	require.Equal(t, []string{"t"}, o.Lines(`SELECT (withdrawn_at IS NOT NULL)::text::char FROM erasure`))
	id := o.Lines(`SELECT id::text FROM erasure`)[0]
	require.Equal(t, []string{"erasure.requested true asked by phone", "erasure.withdrawn true asked by phone"}, o.audited(id))

	_, err := o.Privacy.Request(t.Context(), privacy.ErasureRequest{Donors: []uuid.UUID{o.bea}, Addresses: []string{"bea@example.org"}, Language: "en", RequestedBy: "donor",
		Delay: privacy.DefaultDelay})
	require.NoError(t, err)
	require.NotContains(t, o.finance.Ask("GET", page, nil).Page, `value="withdraw"`)
	form.Values.Set("submission", uuid.NewString())
	got := o.finance.PostOffice(page, form.Values)
	require.Equal(t, 409, got.StatusCode, got.Page)
	require.Equal(t, 1, o.Count(`SELECT count(*) FROM erasure WHERE withdrawn_at IS NULL`))
	record := o.finance.Ask("GET", path(o.bea, "", ""), nil).Page
	require.NotContains(t, record, "/erasure", "the office cannot withdraw it")
	require.NotContains(t, record, "so can finance of")
}

// TestColleagueWithdrawsErasure: somebody else of finance withdraws a request of the office with a fresh factor, and the page names who made it.
func TestColleagueWithdrawsErasure(t *testing.T) {
	o := newOffice(t)
	page := path(o.bea, "erasure", "")
	require.Equal(t, 303, o.finance.PostOffice(page, o.formOf(o.finance, page, "erasure").Values).StatusCode)
	o.finance.Stale()
	shown := o.finance.Ask("GET", page, nil).Page
	require.Contains(t, shown, "You requested it on")
	require.NotContains(t, shown, `name="code"`)

	other := visitor.NewMember(t, o.Program, "dora@staff.example", staff.Finance, visitor.ScopeOf(t, o.Program, "tsne", ""))
	other.Stale()
	shown = other.Ask("GET", page, nil).Page
	require.NotContains(t, shown, "You requested it on")
	require.Regexp(t, `Ask [^<]+ first`, shown)
	form := o.formOf(other, page, "withdraw")
	got := other.PostOffice(page, form.Values)
	require.Equal(t, 422, got.StatusCode, "no code")
	require.Zero(t, o.Count(`SELECT count(*) FROM erasure WHERE withdrawn_at IS NOT NULL`))
	got = other.PostOffice(page, visitor.FormOn(t, got.Page, "do", "withdraw").Fill("code", other.Code()).Values)
	require.Equal(t, 303, got.StatusCode, got.Page)
	require.Equal(t, 1, o.Count(`SELECT count(*) FROM erasure WHERE withdrawn_at IS NOT NULL`))
	require.Equal(t, 1, o.Count(`SELECT count(*) FROM audit_entry WHERE act = 'erasure.withdrawn' AND staff_id = $1`, other.ID))
}
