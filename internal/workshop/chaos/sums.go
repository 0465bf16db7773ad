package chaos

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	paid "konbit/internal/giving/payment"
	"konbit/internal/office/figures"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/offlinepay"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "sums", Short: 150, Long: 10_000, Prove: Sums,
		Promise: "gifts of four years, refunds, gifts that move, erasures, facts of closed months, seals and sums in batches of any size, some of them " +
			"killed, and backups restored, to which the list of erasures is applied: the sums by month are those of the postings, the sums by donor and " +
			"year are those of the gifts, computed anew they are the same, and the words by which donors are found are those of their names",
	})
}

// sums is a program in which random facts are recorded by an office: no processor slows it down.
type sums struct {
	*program.Program
	t       testing.TB
	r       *rand.Rand
	offer   donation.Offer
	admin   *sqlx.DB
	list    string // path of the list of erasures
	gifts   []officeGift
	actions []string
}

type officeGift struct {
	donation donation.Donation
	payment  uuid.UUID
	left     int64
}

// Sums does random actions and compares the sums with their rows now and then.
func Sums(t testing.TB, run Run) {
	h := program.New(t, withoutStripe)
	s := &sums{Program: h, t: t, r: rand.New(rand.NewPCG(run.Seed, 5)), offer: h.Offer("csio"), admin: testkit.Superuser(t, h.DB),
		list: filepath.Join(t.TempDir(), "erasures")}
	s.prepare()
	defer func() {
		if t.Failed() {
			t.Logf("the last actions: %v", s.actions[max(0, len(s.actions)-40):])
		}
	}()
	killed, restored, again := 0, 0, 0
	var backup *sumsBackup
	for n := range run.Count {
		switch each := min(run.Count, restoreEach); n % each {
		case each / 3:
			backup = s.backUp()
		case each * 2 / 3:
			again += s.restore(backup)
			restored++
		}
		switch s.r.IntN(20) {
		case 0, 1, 2, 3:
			s.refund()
		case 4, 5:
			s.move()
		case 6:
			if s.r.IntN(10) == 0 {
				s.erase()
			}
		case 7:
			s.closeMonth()
		case 8, 9, 10:
			killed += s.add()
		case 11:
			_, err := ledger.Seal(t.Context(), h.DB.Server)
			require.NoError(t, err)
		default:
			s.give()
		}
		if n%100 == 99 || n == run.Count-1 {
			s.compare()
		}
		run.Progress(1)
	}
	require.Positive(t, killed, "nothing was killed")
	require.Positive(t, restored, "nothing was restored")
	require.Positive(t, again, "nobody was erased again")
	before := s.rows()
	require.NoError(t, ledger.RebuildMonths(t.Context(), h.DB.Server))
	require.NoError(t, figures.Rebuild(t.Context(), h.DB.Server))
	require.Equal(t, before, s.rows(), "computed anew")
	s.compare()
	run.Record("killed", fmt.Sprint(killed))
	run.Record("restored", fmt.Sprint(restored))
	run.Record("erased again", fmt.Sprint(again))
	run.Record("rows", fmt.Sprint(len(before)))
}

func (s *sums) log(format string, args ...any) {
	s.actions = append(s.actions, fmt.Sprintf(format, args...))
}

// give records a check of one of forty donors, of any day of four years.
func (s *sums) give() {
	address := fmt.Sprintf("donor-%d@donor.example", s.r.IntN(40))
	if s.r.IntN(4) == 0 {
		address = ""
	}
	name := fmt.Sprintf("Donor No. %d", s.r.IntN(1000))
	day := time.Date(2023, 1, 1+s.r.IntN(1400), 12, 0, 0, 0, time.UTC)
	amount := money.New(1+s.r.Int64N(100_000), "USD")
	record := donation.Record{
		ID: program.NewID(), PublicRef: program.NewRef(), EntityID: s.offer.Entity.ID, OrganisationID: s.offer.Organisation.ID, Source: donation.FromOffice,
		Donor:    donor.Donor{ID: program.NewID(), Email: address, FirstName: "A", LastName: name, Language: "en", CreatedAt: time.Now()},
		Language: "en", At: time.Now(), Cause: "test",
		Contact: donation.Contact{Contact: contact.Contact{FirstName: "A", LastName: name, Email: address}},
		Parts:   []donation.Designation{{FundID: pick(s.r, s.offer.Funds).ID, Amount: amount, Covered: money.New(0, "USD")}},
	}
	g := officeGift{payment: program.NewID(), left: amount.Minor}
	require.NoError(s.t, pg.InTx(s.t.Context(), s.DB.Server, func(tx *sqlx.Tx) (err error) {
		g.donation, err = donation.RecordTx(s.t.Context(), tx, record)
		return err
	}))
	_, err := s.Settle(donation.IncomingPayment{
		EntityID: record.EntityID, Method: paid.Check, DonationID: record.ID, Amount: amount, PaymentID: g.payment, Cause: "test",
		ReceivedAt: day, TaxDate: ledger.DateOf(day.AddDate(0, 0, -s.r.IntN(9)), time.UTC),
	})
	require.NoError(s.t, err)
	s.gifts = append(s.gifts, g)
	s.log("give %s %d on %s", record.ID, amount.Minor, day.Format(time.DateOnly))
}

// refund refunds a part of a gift, or what is left of it.
func (s *sums) refund() {
	if len(s.gifts) == 0 {
		return
	}
	g := &s.gifts[s.r.IntN(len(s.gifts))]
	if g.left == 0 {
		return
	}
	amount := g.left
	if s.r.IntN(2) == 0 {
		amount = 1 + s.r.Int64N(g.left)
	}
	require.NoError(s.t, pg.InTx(s.t.Context(), s.DB.Server, func(tx *sqlx.Tx) error {
		_, err := offlinepay.Booker{Booker: s.Booker}.RefundOfflineTx(s.t.Context(), tx, s.CurrentCatalog(), offlinepay.OfflineRefund{
			EntityID: g.donation.EntityID, OrderID: program.NewID(), PaymentID: g.payment, Amount: money.New(amount, "USD"), At: time.Now(),
		})
		return err
	}))
	g.left -= amount
	s.log("refund %d of %s", amount, g.donation.ID)
}

// move moves a gift to another donor, who may be new.
func (s *sums) move() {
	if len(s.gifts) == 0 {
		return
	}
	g := pick(s.r, s.gifts)
	receipt := s.Lines(`SELECT id::text FROM receipt WHERE donation_id = $1 ORDER BY number DESC LIMIT 1`, g.donation.ID)[0]
	_, err := s.DB.Owner.Exec(`SELECT move_gift($1, $2, $3, 'chaos', 'chaos')`, receipt, fmt.Sprintf("donor-%d@donor.example", s.r.IntN(60)), program.NewID())
	if err != nil {
		require.ErrorContains(s.t, err, "was erased")
	}
	s.log("move %s: %v", g.donation.ID, err)
}

// erase erases a donor.
func (s *sums) erase() {
	if len(s.gifts) > 0 {
		s.eraseDonorOf(pick(s.r, s.gifts))
	}
}

// eraseDonorOf erases the donor of a gift.
func (s *sums) eraseDonorOf(g officeGift) {
	id := uuid.MustParse(s.Lines(`SELECT donor_id::text FROM donation WHERE id = $1`, g.donation.ID)[0])
	e, err := s.Privacy.Request(s.t.Context(), privacy.ErasureRequest{Donors: []uuid.UUID{id}, Language: "en", RequestedBy: "office"})
	if err == nil {
		s.AgeErasures()
		err = s.Privacy.Erase(s.t.Context(), e.ID)
	}
	if err == nil {
		_, err = s.Privacy.SyncFile(s.t.Context(), s.list)
	}
	s.log("erase %s: %v", id, err)
}

// closeMonth closes the books through a later day than before, so that older facts are booked afterwards.
func (s *sums) closeMonth() {
	s.Exec(`UPDATE books SET closed_through = greatest(coalesce(closed_through, '2022-12-31'), '2023-01-01'::date + $1::integer)`, s.r.IntN(900))
}

// add adds some sealed entries and some donors to the sums, in a transaction that may be rolled back, or whose connection
// may be killed. It returns how many were not committed.
func (s *sums) add() int {
	err := pg.InTx(s.t.Context(), s.DB.Server, func(tx *sqlx.Tx) error {
		for _, call := range []string{`SELECT add_to_months($1)`, `SELECT refresh_donor_years($1)`} {
			if s.r.IntN(3) > 0 {
				if _, err := tx.Exec(call, 1+s.r.IntN(20)); err != nil {
					return err
				}
			}
		}
		switch s.r.IntN(4) {
		case 0:
			return fmt.Errorf("rolled back")
		case 1:
			var pid int
			if err := tx.Get(&pid, `SELECT pg_backend_pid()`); err != nil {
				return err
			}
			_, err := s.admin.Exec(`SELECT pg_terminate_backend($1)`, pid) // the commit fails
			return err
		}
		return nil
	})
	s.log("add: %v", err)
	if err != nil {
		return 1
	}
	return 0
}

// rows returns all sums as text.
func (s *sums) rows() []string {
	return s.Lines(`SELECT 'month ' || m::text FROM ledger_month m UNION ALL SELECT 'donor ' || y::text FROM donor_year y ORDER BY 1`)
}

// compare compares what reports say with sums over the postings, before everything is sealed and afterwards, and runs the
// checkers.
func (s *sums) compare() {
	s.t.Helper()
	for range 2 {
		var want []string
		require.NoError(s.t, s.DB.Owner.Select(&want, `SELECT format('%s %s %s %s %s', date_trunc('month', e.entry_date)::date, p.fund_id, p.account_code, sum(p.amount), count(*))
			FROM journal_entry e JOIN posting p ON p.entry_id = e.id WHERE e.entity_id = $1
			GROUP BY date_trunc('month', e.entry_date)::date, p.fund_id, p.account_code ORDER BY 1`, s.offer.Entity.ID))
		all, err := ledger.SumsByMonth(s.t.Context(), s.DB.Server, ledger.Months{
			EntityID: s.offer.Entity.ID, From: ledger.Date{Year: 2000, Month: 1, Day: 1}, Until: ledger.Date{Year: 2100, Month: 1, Day: 1},
		})
		require.NoError(s.t, err)
		got := []string{}
		for _, m := range all {
			got = append(got, fmt.Sprintf("%s %s %s %d %d", m.Month, m.FundID, m.Account, m.Amount, m.Lines))
		}
		require.ElementsMatch(s.t, want, got)
		_, err = ledger.Seal(s.t.Context(), s.DB.Server)
		require.NoError(s.t, err)
	}
	_, err := figures.Refresh(s.t.Context(), s.DB.Server)
	require.NoError(s.t, err)
	checked(s.t, s.Program)
	require.Empty(s.t, s.Lines(wordsDiffer))
	s.compareLapsed()
}

// compareLapsed compares the pages of who gave last year and not this with the gifts.
func (s *sums) compareLapsed() {
	s.t.Helper()
	for year := 2023; year <= 2027; year++ {
		given := func(year int) map[string]int64 {
			sums := map[string]int64{}
			for _, line := range s.Lines(`SELECT d.donor_id || ' ' || sum(d.amount - coalesce(r.amount, 0))
				FROM donation d JOIN payment p ON p.donation_id = d.id LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM payment_change GROUP BY 1) r ON r.payment_id = p.id
				WHERE d.status = 'settled' AND extract(year FROM d.tax_date) = $1 AND d.amount > coalesce(r.amount, 0) GROUP BY d.donor_id`, year) {
				var id string
				var amount int64
				_, err := fmt.Sscan(line, &id, &amount)
				require.NoError(s.t, err)
				sums[id] = amount
			}
			return sums
		}
		want, this := given(year-1), given(year)
		for id := range want {
			if _, gave := this[id]; gave || s.Count(`SELECT count(*) FROM erasure_donor WHERE donor_id = $1 AND erased_at IS NOT NULL`, id) > 0 {
				delete(want, id)
			}
		}
		got := map[string]int64{}
		for after := (&figures.LapsedCursor{}); after != nil; {
			page, next, err := figures.LastYearNotThis(s.t.Context(), s.DB.Server, s.offer.Entity.ID, year, *after, 3)
			require.NoError(s.t, err)
			for _, d := range page {
				require.NotContains(s.t, got, d.DonorID.String(), "on two pages")
				got[d.DonorID.String()] = d.Amount
			}
			after = next
		}
		require.Equal(s.t, want, got, "%d", year)
	}
}
