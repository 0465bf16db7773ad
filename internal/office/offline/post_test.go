package offline_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/offline"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// fixture is a program without a payment processor, and its people.
type fixture struct {
	*program.Program
	t                   *testing.T
	entity              uuid.UUID
	june, clara, diego  *office.Person // june types, clara and diego are the entity's finance
	marta               *office.Person // finance of the project csio
	received, postmarks ledger.Date
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	h := program.New(t, program.Options{NoStripe: true})
	f := fixture{Program: h, t: t, received: ledger.Date{Year: 2026, Month: 1, Day: 5}, postmarks: ledger.Date{Year: 2025, Month: 12, Day: 30}}
	require.NoError(t, h.DB.Owner.Get(&f.entity, `SELECT id FROM legal_entity WHERE slug = 'tsne'`))
	f.june = office.Add(t, h.DB.Owner, "june", office.Role{Role: "entry", Entity: "tsne"})
	f.clara = office.Add(t, h.DB.Owner, "clara", office.Role{Role: "finance", Entity: "tsne"})
	f.diego = office.Add(t, h.DB.Owner, "diego", office.Role{Role: "finance", Entity: "tsne"})
	f.marta = office.Add(t, h.DB.Owner, "marta", office.Role{Role: "finance", Entity: "tsne", Organisation: "csio"})
	return f
}

func (f fixture) checker(b offline.Batch) offline.Checker {
	entity, err := f.CurrentCatalog().EntityByID(f.entity)
	require.NoError(f.t, err)
	return offline.Checker{Catalog: f.CurrentCatalog(), Entity: entity, OrganisationID: b.OrganisationID, FundID: b.FundID, ReceivedOn: b.ReceivedOn, Language: "en"}
}

// batch begins a batch of june's.
func (f fixture) batch(count int, total int64) offline.Batch {
	f.t.Helper()
	var b offline.Batch
	require.NoError(f.t, f.june.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) (err error) {
		b, err = offline.BeginTx(f.t.Context(), tx, offline.Batch{
			ID: program.NewID(), EntityID: f.entity, ReceivedOn: f.received, Counted: count, TotalMinor: total, Currency: "USD", Submission: program.NewID(),
			FundID: uuid.NullUUID{UUID: f.Offer("csio").Funds[0].ID, Valid: true},
		})
		return err
	}))
	return b
}

// add stores a row of a new donor, or of who.
func (f fixture) add(b offline.Batch, t offline.Typed, who ...offline.Choice) int {
	f.t.Helper()
	choice := offline.Choice{}
	if len(who) > 0 {
		choice = who[0]
	}
	m, bad := f.checker(b).Check(t, choice)
	require.Empty(f.t, bad)
	if who, ok := t["soft_credit"]; ok {
		m.SoftCredit = uuid.NullUUID{UUID: uuid.MustParse(who), Valid: true}
	}
	var n int
	require.NoError(f.t, f.june.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) (err error) {
		n, err = offline.StoreTx(f.t.Context(), tx, b, 0, program.NewID(), t, m)
		return err
	}))
	return n
}

func (f fixture) post(by *office.Person, b offline.Batch, reason string) (done bool, err error) {
	err = by.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) (err error) {
		done, err = f.Poster.PostTx(f.t.Context(), tx, f.CurrentCatalog(), b.ID, reason)
		return err
	})
	return done, err
}

func (f fixture) postings(row int, b offline.Batch) []string {
	return f.Lines(`SELECT e.kind || ' ' || fu.code || ' ' || p.account_code || ' ' || p.amount FROM gift_batch_row r JOIN journal_entry e ON e.source_id = r.gift_id::text
		JOIN posting p ON p.entry_id = e.id JOIN fund fu ON fu.id = p.fund_id WHERE r.batch_id = $1 AND r.n = $2 ORDER BY e.kind, fu.code, p.account_code`, b.ID, row)
}

func (f fixture) quiet() {
	f.t.Helper()
	f.RequireNoFindings()
	report, err := ledger.Verify(f.t.Context(), f.DB.Server)
	require.NoError(f.t, err)
	require.True(f.t, report.OK(), "%v", report.Findings)
}

// TestPostingABatch posts a gift of each kind: what is booked, what the donor gets, and what it says.
func TestPostingABatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.batch(9, 100_00+80_00+100_00+500_00+300_00+1_000_00+6_000_00+50_00)
	rows := map[string]int{
		"check": f.add(b, offline.Typed{"first_name": "Rosa", "last_name": "Lima", "email": "rosa@example.org", "amount": "100", "number": "1001", "postmarked_on": "12/30"}),
		"split": f.add(b, offline.Typed{"first_name": "Ben", "amount": "$80.00", "split[general]": "50", "split[network]": "30", "address_line1": "9 Elm St", "city": "Lynn",
			"region": "MA", "postal_code": "01901"}),
		"return": f.add(b, offline.Typed{"first_name": "Carla", "email": "carla@example.org", "amount": "100", "in_return": "a dinner", "in_return_value": "30"}),
	}
	adviser := program.NewID()
	require.NoError(t, pg.InTx(t.Context(), f.DB.Owner, func(tx *sqlx.Tx) error {
		_, err := donor.FindOrAddTx(t.Context(), tx, donor.Donor{ID: adviser, EntityID: f.entity, Email: "ana@example.org", FirstName: "Ana", LastName: "Adviser",
			Language: "es", CreatedAt: time.Now()})
		return err
	}))
	rows["daf"] = f.add(b, offline.Typed{"organisation": "Fidelity Charitable", "given_by": "daf", "amount": "500", "email": "grants@fidelity.example",
		"soft_credit": adviser.String()})
	rows["match"] = f.add(b, offline.Typed{"organisation": "Bolt Inc", "given_by": "employer_match", "method": "transfer", "amount": "300", "fund": "network"})
	rows["stock"] = f.add(b, offline.Typed{"first_name": "Sam", "email": "sam@example.org", "method": "stock", "amount": "1,000", "note": "10 shares of ACME"})
	rows["in kind"] = f.add(b, offline.Typed{"first_name": "Ivy", "email": "ivy@example.org", "method": "in_kind", "amount": "6,000.00", "note": "a printing press"})
	rows["unvalued"] = f.add(b, offline.Typed{"first_name": "Uma", "email": "uma@example.org", "method": "in_kind", "note": "twelve chairs"})
	rows["cash"] = f.add(b, offline.Typed{"first_name": "Cy", "method": "cash", "amount": "50", "counted_by": "June and Clara"})

	_, err := f.post(f.june, b, "")
	require.ErrorIs(t, err, offline.ErrPoster)
	_, err = f.post(f.marta, b, "")
	require.ErrorIs(t, err, offline.ErrPoster, "a project's finance")
	require.Zero(t, f.Count(`SELECT count(*) FROM donation`))
	done, err := f.post(f.clara, b, "")
	require.NoError(t, err)
	require.True(t, done)
	f.quiet()

	require.Equal(t, []string{
		"payment general 1050 10000", "payment general 4100 -10000", "sponsor fee general 1050 -700", "sponsor fee general 3900 700", "sponsor fee general 4900 700",
		"sponsor fee general 4910 -700", "sponsor fee operations 1050 700", "sponsor fee operations 3900 -700",
	}, f.postings(rows["check"], b))
	require.Contains(t, f.postings(rows["split"], b), "payment network 1050 3000")
	require.Contains(t, f.postings(rows["return"], b), "in return operations 4300 -3000")
	require.Contains(t, f.postings(rows["return"], b), "in return operations 1050 3000")
	require.Contains(t, f.postings(rows["return"], b), "payment general 4100 -7000")
	require.Contains(t, f.postings(rows["match"], b), "payment network 1100 30000")
	require.Equal(t, []string{"payment general 1300 100000", "payment general 4100 -100000"}, f.postings(rows["stock"], b), "the fee is taken when it is sold")
	require.Equal(t, []string{"payment general 4210 -600000", "payment general 4900 600000", "payment general 4910 -600000", "payment general 5300 600000"},
		f.postings(rows["in kind"], b))
	require.Empty(t, f.postings(rows["unvalued"], b))

	require.Equal(t, []string{"Ben:8000:2026-01-05", "Carla:7000:2026-01-05", "Cy:5000:2026-01-05", "Ivy:600000:2026-01-05", "Rosa:10000:2025-12-30", "Sam:100000:2026-01-05"},
		f.Lines(`SELECT (facts->>'first_name') || ':' || (facts#>>'{amount,minor}') || ':' || (facts->>'charged_on') FROM receipt ORDER BY 1`))
	require.Equal(t, []string{"daf Fidelity Charitable Ana Adviser", "daf_adviser Ana Adviser Fidelity Charitable", "employer_match Bolt Inc ", "in_kind Uma "},
		f.Lines(`SELECT words || ' ' || (person->>'name') || ' ' || coalesce(person->>'other', '') FROM thank_you ORDER BY 1`))
	require.Equal(t, []string{adviser.String()}, f.Lines(`SELECT donor_id FROM soft_credit`))
	require.Equal(t, []string{"in_kind_needs_appraisal"}, f.Lines(`SELECT kind FROM finance_task`))
	require.Equal(t, 9, f.Count(`SELECT count(*) FROM offline_gift WHERE batch_id = $1`, b.ID))

	texts := f.sent()
	require.Contains(t, texts["rosa@example.org"], "December 30, 2025")
	require.Contains(t, texts["carla@example.org"], "In return for your payment of $100.00 you received a dinner, the")
	require.Contains(t, texts["carla@example.org"], "limited to the rest, $70.00")
	require.NotContains(t, texts["carla@example.org"], "No goods or services")
	for _, thing := range []string{"sam@example.org", "ivy@example.org"} {
		require.NotContains(t, texts[thing], "$", "no value")
		require.Contains(t, texts[thing], "We do not state a value")
	}
	require.Contains(t, texts["sam@example.org"], "10 shares of ACME")
	require.Contains(t, texts["uma@example.org"], "twelve chairs")
	for _, to := range []string{"grants@fidelity.example", "ana@example.org"} {
		require.NotEmpty(t, texts[to], to)
		require.NotRegexp(t, `(?i)tax|impuesto|receipt|recibo|501|EIN|TSNE-20`, texts[to], "no tax wording and no number")
	}
	require.Contains(t, texts["grants@fidelity.example"], "Ana Adviser recommended it")
	require.Contains(t, texts["ana@example.org"], "Fidelity Charitable envió $500.00")
	f.quiet()
}

// sent sends the emails that wait, and returns their plain text by recipient.
func (f fixture) sent() map[string]string {
	f.t.Helper()
	for _, id := range f.Lines(`SELECT args->>'receipt_id' FROM river_job WHERE kind = 'receipt_letter'`) {
		require.NoError(f.t, f.Receipts.Mail(f.t.Context(), uuid.MustParse(id)))
	}
	for _, id := range f.Lines(`SELECT args->>'letter_id' FROM river_job WHERE kind = 'thank_you_letter'`) {
		require.NoError(f.t, mail.ThankYous{Mailer: f.Receipts.Mailer}.Mail(f.t.Context(), uuid.MustParse(id)))
	}
	texts := map[string]string{}
	for _, m := range f.Mail.Messages() {
		email, err := m.Email()
		require.NoError(f.t, err)
		texts[m.To] += strings.Join(strings.Fields(email.Text), " ")
	}
	return texts
}

// TestPostedOnce: a batch that is posted twice, or by two people at once, is posted once.
func TestPostedOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.batch(20, 20*25_00)
	for i := range 20 {
		f.add(b, offline.Typed{"first_name": fmt.Sprint("Donor", i), "email": fmt.Sprintf("d%d@example.org", i), "amount": "25"})
	}
	var posted sync.Map
	var all sync.WaitGroup
	for i, by := range []*office.Person{f.clara, f.diego, f.clara, f.diego} {
		all.Go(func() {
			done, err := f.post(by, b, "")
			if err == nil && done {
				posted.Store(i, true)
			}
		})
	}
	all.Wait()
	n := 0
	posted.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
	done, err := f.post(f.clara, b, "")
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, 20, f.Count(`SELECT count(*) FROM payment`))
	require.Equal(t, 20, f.Count(`SELECT count(*) FROM receipt`))
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM audit_entry WHERE act = 'batch.posted'`))
	require.Equal(t, 20, f.Count(`SELECT count(*) FROM river_job`))
	f.quiet()
}

// TestPostedWhenItAgrees: a batch whose count or total differ is posted with a reason only, also by direct SQL; nothing of it is
// stored otherwise.
func TestPostedWhenItAgrees(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.batch(2, 75_00)
	f.add(b, offline.Typed{"first_name": "Rosa", "amount": "25"})
	_, err := f.post(f.clara, b, "")
	require.ErrorIs(t, err, offline.ErrDiffers)
	require.Error(t, f.clara.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`UPDATE gift_batch SET posted_at = now(), reason = 'x' WHERE id = $1`, b.ID)
		return err
	}), "its rows are no gifts")
	done, err := f.post(f.clara, b, "one check was for somebody else")
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, []string{"one check was for somebody else"}, f.Lines(`SELECT reason FROM audit_entry WHERE act = 'batch.posted'`))
	for _, sql := range []string{
		`UPDATE gift_batch SET total = 1`, `UPDATE gift_batch_row SET amount = 1`, `DELETE FROM gift_batch_row_part`, `UPDATE gift_batch SET reason = 'other'`,
	} {
		require.Error(t, f.clara.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error { _, err := tx.Exec(sql); return err }), sql)
	}
	require.Error(t, f.june.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error {
		m, _ := f.checker(b).Check(offline.Typed{"first_name": "Late", "amount": "1"}, offline.Choice{})
		_, err := offline.StoreTx(t.Context(), tx, b, 0, program.NewID(), offline.Typed{"first_name": "Late", "amount": "1"}, m)
		return err
	}))
	f.quiet()
}

// TestPostingIsAllOrNone: a fund that closed since stops the whole batch, and the row is named.
func TestPostingIsAllOrNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.batch(2, 50_00)
	f.add(b, offline.Typed{"first_name": "Rosa", "amount": "25"})
	n := f.add(b, offline.Typed{"first_name": "Ben", "amount": "25", "fund": "building"})
	f.Exec(`UPDATE fund SET closed_at = now() WHERE code = 'building'`)
	catalog, err := fund.NewCatalogCache(f.DB.Server, 0, time.Now).Current(t.Context())
	require.NoError(t, err)
	err = f.clara.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error {
		_, err := f.Poster.PostTx(t.Context(), tx, catalog, b.ID, "")
		return err
	})
	var row *offline.ErrRow
	require.ErrorAs(t, err, &row)
	require.Equal(t, n, row.N)
	require.Zero(t, f.Count(`SELECT count(*) FROM donation`))
	require.Zero(t, f.Count(`SELECT count(*) FROM donor`))
}

// TestKnownDonors: donors are found by parts of name, address and postal code, in the scope; their names and addresses stand on receipts.
func TestKnownDonors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.batch(2, 50_00)
	f.add(first, offline.Typed{"first_name": "Rosa", "last_name": "Lima", "amount": "25", "address_line1": "9 Elm St", "city": "Lynn", "region": "MA", "postal_code": "01901"})
	f.add(first, offline.Typed{"first_name": "Rosa", "last_name": "Lima", "amount": "25"}, offline.Choice{SameAs: 1})
	_, err := f.post(f.clara, first, "")
	require.NoError(t, err)
	require.Equal(t, 1, f.Count(`SELECT count(DISTINCT donor_id) FROM donation`), "the same new donor")
	found := f.find(f.june, "lim 019")
	require.Len(t, found, 1)
	require.Equal(t, "9 Elm St, Lynn, MA 01901", found[0].Place())
	for _, nothing := range []string{"", "x'; --", "limo", "rosa boston", "%", uuid.NewString()} {
		require.Empty(t, f.find(f.june, nothing), nothing)
	}
	require.Len(t, f.find(f.june, found[0].ID.String()), 1)
	require.Len(t, f.find(f.marta, "lima"), 1, "she gave to her project")
	aina := office.Add(t, f.DB.Owner, "abel", office.Role{Role: "entry", Entity: "aina"})
	require.Empty(t, f.find(aina, "lima"))

	second := f.batch(1, 40_00)
	f.add(second, offline.Typed{"donor": "lima", "amount": "40", "number": "7"}, offline.Choice{ID: found[0].ID, Kind: found[0].Kind})
	_, err = f.post(f.clara, second, "")
	require.NoError(t, err)
	r, err := receipt.ValidOf(t.Context(), f.DB.Owner, uuid.MustParse(f.Lines(`SELECT donation_id FROM offline_gift WHERE batch_id = $1`, second.ID)[0]))
	require.NoError(t, err)
	require.Equal(t, []string{"9 Elm St", "Lynn, MA 01901", "US"}, r.Facts.DonorAddress, "the newest address that is known")
	require.Equal(t, money.New(40_00, "USD"), r.Facts.Amount)
	f.quiet()
}

func (f fixture) find(by *office.Person, text string) (found []offline.Match) {
	require.NoError(f.t, by.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) (err error) {
		if _, err := tx.Exec(`SET LOCAL ROLE konbit_office`); err != nil {
			return err
		}
		found, err = offline.FindDonors(f.t.Context(), tx, f.entity, uuid.NullUUID{}, text, 10)
		return err
	}))
	return found
}

// TestCheck: each field that cannot be read says how to mend it.
func TestCheck(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.checker(offline.Batch{ReceivedOn: f.received})
	for _, test := range []struct {
		typed offline.Typed
		want  string // field and phrase
	}{
		{offline.Typed{"first_name": "A", "amount": "1,250.5", "fund": "general"}, ""},
		{offline.Typed{"first_name": "A", "amount": "25", "fund": "General"}, ""},
		{offline.Typed{"first_name": "A", "amount": "25", "fund": "Leadership Network"}, ""},
		{offline.Typed{"first_name": "A", "amount": "25"}, "fund fund_none"},
		{offline.Typed{"first_name": "A", "amount": "25", "fund": "land"}, "fund fund"},
		{offline.Typed{"first_name": "A", "amount": "25", "fund": "operations"}, "fund fund"},
		{offline.Typed{"first_name": "A", "amount": "25 €", "fund": "general"}, "amount amount_currency"},
		{offline.Typed{"first_name": "A", "amount": "twenty", "fund": "general"}, "amount amount_text"},
		{offline.Typed{"first_name": "A", "amount": "0", "fund": "general"}, "amount amount_zero"},
		{offline.Typed{"first_name": "A", "fund": "general"}, "amount amount"},
		{offline.Typed{"amount": "25", "fund": "general"}, "first_name first_name"},
		{offline.Typed{"first_name": "A", "amount": "25", "fund": "general", "given_by": "daf"}, "organisation organisation.daf"},
		{offline.Typed{"first_name": "A", "amount": "25", "method": "cash", "counted_by": "June", "fund": "general"}, "counted_by counted_by"},
		{offline.Typed{"first_name": "A", "amount": "25", "method": "cash", "counted_by": "June, june", "fund": "general"}, "counted_by counted_by"},
		{offline.Typed{"first_name": "A", "amount": "25", "method": "cash", "counted_by": "June & Clara", "fund": "general"}, ""},
		{offline.Typed{"first_name": "A", "amount": "25", "method": "stock", "fund": "general"}, "note describe.stock"},
		{offline.Typed{"first_name": "A", "amount": "25", "postmarked_on": "2026-01-06", "fund": "general"}, "postmarked_on postmark_late"},
		{offline.Typed{"first_name": "A", "amount": "25", "postmarked_on": "someday", "fund": "general"}, "postmarked_on day"},
		{offline.Typed{"first_name": "A", "amount": "25", "in_return": "a book", "fund": "general"}, "in_return_value in_return_value"},
		{offline.Typed{"first_name": "A", "amount": "25", "in_return": "a book", "in_return_value": "25", "fund": "general"}, "in_return_value in_return_all"},
		{offline.Typed{"first_name": "A", "amount": "25", "split[general]": "10", "split[network]": "10"}, "split[network] split"},
		{offline.Typed{"first_name": "A", "amount": "25", "split[general]": "10", "split[network]": "15"}, ""},
		{offline.Typed{"first_name": "A", "amount": "25", "email": "nobody", "fund": "general"}, "email email"},
		{offline.Typed{"first_name": "=", "amount": "25", "fund": "general"}, "first_name nothing_above"},
	} {
		_, bad := c.Check(test.typed, offline.Choice{})
		got := ""
		for i, field := range bad {
			if i > 0 {
				got += ", "
			}
			got += field.Name + " " + field.Phrase[len("office.batch.error."):]
		}
		require.Equal(t, test.want, got, "%v", test.typed)
	}
	above := offline.Typed{"donor": "lima", "first_name": "Rosa", "amount": "25", "fund": "general", "number": "7"}
	require.Equal(t, offline.Typed{"donor": "lima", "first_name": "Rosa", "amount": "25", "number": "8"},
		offline.Typed{"donor": "=", "amount": "=", "number": "8"}.Repeated(above))
}
