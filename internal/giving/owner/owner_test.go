package owner_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/owner"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

const (
	mistyped = "bob@example.org"
	right    = "ana@example.org"
)

// form returns a form with an address and a name.
func form(address, name, frequency string) donation.Form {
	f := program.ValidForm()
	f.Contact.Email, f.Contact.FirstName, f.Contact.LastName, f.Frequency = address, name, "Pérez", frequency
	return f
}

var errNotYet = errors.New("nobody waits yet")

type mover struct {
	*program.Program
	t *testing.T
}

func newMover(t *testing.T) mover { return mover{program.New(t, program.Options{}), t} }

// plan begins a plan and returns its first donation.
func (m mover) plan(address, name string) donation.Donation {
	m.t.Helper()
	d := m.StartedGift(form(address, name, "monthly"))
	m.Pay(d)
	m.DeliverNew()
	m.DrainAll()
	m.RunPlanJobs()
	return d
}

// pay makes the next payment of the only running plan, without reading its events.
func (m mover) pay() {
	m.t.Helper()
	next := m.Lines(`SELECT next_at::text FROM plan WHERE next_at IS NOT NULL`)
	require.Len(m.t, next, 1)
	at, err := time.Parse("2006-01-02 15:04:05-07", next[0])
	require.NoError(m.t, err)
	m.Fake.Advance(at.Sub(m.Fake.Now()) + 2*time.Hour)
}

func (m mover) receiptOf(d donation.Donation) uuid.UUID {
	m.t.Helper()
	latest, err := receipt.Latest(m.t.Context(), m.DB.Server, []uuid.UUID{d.ID})
	require.NoError(m.t, err)
	return latest[d.ID].ID
}

func (m mover) move(d donation.Donation, to string) (done owner.Moved, err error) {
	m.t.Helper()
	order := owner.Move{ReceiptID: m.receiptOf(d), To: to, NewDonor: program.NewID(), By: "an operator", Why: "a test"}
	return done, pg.InTx(m.t.Context(), m.DB.Server, func(tx *sqlx.Tx) error {
		done, err = owner.MoveTx(m.t.Context(), tx, order)
		return err
	})
}

// owners returns the addresses of the donors of all donations, oldest first.
func (m mover) owners() []string {
	return m.Lines(`SELECT d.email FROM donation g JOIN donor d ON d.id = g.donor_id ORDER BY g.created_at, g.id`)
}

// donor returns an address's donor as text.
func (m mover) donor(address string) []string {
	return m.Lines(`SELECT concat_ws('|', first_name, last_name, phone, city, kind, first_gift_at IS NOT NULL, news_consented_at IS NOT NULL) FROM donor WHERE email = $1`, address)
}

// TestPlanMovesWithItsPayments: the plan, all payments so far and the later ones belong to the donor of the corrected
// address. Nothing of the gift is left at the mistyped address, whose reader may be a stranger.
func TestPlanMovesWithItsPayments(t *testing.T) {
	m := newMover(t)
	f := form(mistyped, "Ana", "monthly")
	f.News = true
	d := m.StartedGift(f)
	m.Pay(d)
	m.DeliverNew()
	m.DrainAll()
	m.RunPlanJobs()
	m.pay()
	m.DeliverNew()
	m.DrainAll()
	m.Exec(`UPDATE donor SET phone = '555', city = 'Boston'`)
	_, err := m.PlanLinks.Current(t.Context(), d.ID, d.DonorID)
	require.NoError(t, err)

	done, err := m.move(d, right)
	require.NoError(t, err)
	require.Equal(t, 2, done.Donations)
	require.Equal(t, d.ID, done.Plan.UUID)
	require.Equal(t, []string{right, right}, m.owners())
	require.Equal(t, []string{done.To.String()}, m.Lines(`SELECT donor_id::text FROM plan`))
	require.Equal(t, []string{done.To.String()}, m.Lines(`SELECT donor_id::text FROM plan_link`))
	require.Equal(t, []string{right, right}, m.Lines(`SELECT email FROM donation_contact`))
	require.Equal(t, []string{"Ana|Pérez|555|Boston|person|t|t"}, m.donor(right), "nobody signed in with the other address")
	require.Equal(t, []string{"||||person|f|f"}, m.donor(mistyped))

	m.pay()
	m.DeliverNew()
	m.DrainAll()
	require.Equal(t, []string{right, right, right}, m.owners())
	require.Equal(t, []string{right}, m.Lines(`SELECT facts->>'email' FROM receipt ORDER BY issued_at DESC LIMIT 1`))
	require.Equal(t, []string{"an operator|a test|2"},
		m.Lines(`SELECT concat_ws('|', ordered_by, reason, count(*)) FROM donation_owner_change GROUP BY ordered_by, reason`))

	again, err := m.move(d, right)
	require.NoError(t, err)
	require.Zero(t, again.Donations, "it has the right owner")
	m.RequireNoFindings()

	back, err := m.move(d, mistyped)
	require.NoError(t, err)
	require.Equal(t, 3, back.Donations)
	require.Equal(t, d.DonorID, back.To, "the donor who had it")
}

// TestOtherGiftsStay: the donor before keeps what belongs to other gifts, with the name that was typed with them.
func TestOtherGiftsStay(t *testing.T) {
	m := newMover(t)
	m.SettledGift(form(mistyped, "Bob", "once"))
	wrong := m.SettledGift(form(mistyped, "Ana", "once"))
	known := m.SettledGift(form(right, "Anita", "once"))
	require.Equal(t, []string{"Ana|Pérez|||person|t|f"}, m.donor(mistyped), "a stranger's name")
	done, err := m.move(wrong, "ANA@example.org")
	require.NoError(t, err)
	require.Equal(t, known.DonorID, done.To)
	require.False(t, done.Plan.Valid)
	require.Equal(t, []string{mistyped, right, right}, m.owners())
	require.Equal(t, []string{"Bob|Pérez|||person|t|f"}, m.donor(mistyped))
	require.Equal(t, []string{"Anita|Pérez|||person|t|f"}, m.donor(right))
}

// TestPaymentDuringMove: a payment that is counted while the plan moves belongs to the new donor.
func TestPaymentDuringMove(t *testing.T) {
	m := newMover(t)
	d := m.plan(mistyped, "Ana")
	m.pay()
	m.DeliverNew()
	order := owner.Move{ReceiptID: m.receiptOf(d), To: right, NewDonor: program.NewID(), By: "x", Why: "x"}
	var counted sync.WaitGroup
	require.NoError(t, pg.InTx(t.Context(), m.DB.Server, func(tx *sqlx.Tx) error {
		if err := owner.LockTx(t.Context(), tx, order.ReceiptID, order.To); err != nil {
			return err
		}
		counted.Go(m.DrainAll)
		testkit.Eventually(t, 20*time.Second, func() error {
			var waiting int
			err := m.DB.Owner.Get(&waiting, `SELECT count(*) FROM pg_locks WHERE NOT granted`)
			if err == nil && waiting == 0 {
				err = errNotYet
			}
			return err
		})
		_, err := owner.MoveTx(t.Context(), tx, order)
		return err
	}))
	counted.Wait()
	m.RetryParked()
	m.DrainAll()
	require.Equal(t, []string{right, right}, m.owners())
	m.RequireNoFindings()
}

// TestMovesAreLimited: the server's role moves no gift of an erased donor, and not more than the limit.
func TestMovesAreLimited(t *testing.T) {
	m := newMover(t)
	d := m.SettledGift(form(mistyped, "Ana", "once"))
	m.Exec(`UPDATE server_limit SET moved_a_day = 1`)
	_, err := m.move(d, right)
	require.NoError(t, err)
	_, err = m.move(d, mistyped)
	require.ErrorIs(t, err, owner.ErrTooMany)
	m.Exec(`UPDATE server_limit SET moved_a_day = 100`)
	m.Exec(`INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES ('00000000-0000-4000-8000-000000000001', now(), 'x', 'en', now())`)
	m.Exec(`INSERT INTO erasure_donor (erasure_id, donor_id, erased_at) SELECT '00000000-0000-4000-8000-000000000001', id, now() FROM donor WHERE email = $1`, right)
	_, err = m.move(d, mistyped)
	require.ErrorIs(t, err, owner.ErrErased)
	require.Equal(t, []string{right}, m.owners())
}

// decide records a choice of a donor about emails.
func (m mover) decide(address, kind string, wanted bool) {
	m.t.Helper()
	id := uuid.MustParse(m.Lines(`SELECT id::text FROM donor WHERE email = $1`, address)[0])
	require.NoError(m.t, pg.InTx(m.t.Context(), m.DB.Server, func(tx *sqlx.Tx) error {
		return donor.SetEmailPreferenceTx(m.t.Context(), tx, id, kind, wanted, "a link", time.Now())
	}))
}

// wishes returns which emails an address gets, and its language.
func (m mover) wishes(address string) string {
	return m.Lines(`SELECT concat_ws(' ', language, CASE WHEN news_consented_at IS NOT NULL THEN 'news' END) || coalesce(
		(SELECT string_agg(' ' || c.kind || ' ' || c.given, '' ORDER BY c.kind, c.n) FROM donor_consent c WHERE c.donor_id = d.id), '') FROM donor d WHERE email = $1`, address)[0]
}

// TestChoicesAtAMove: a consent moves only if it was given with the gift and nobody withdrew it since. What the
// readers of both addresses decided stays with them. The gift keeps its language.
func TestChoicesAtAMove(t *testing.T) {
	for name, test := range map[string]struct {
		news                bool // given with the gift
		before              func(m mover)
		mistyped, corrected string // wishes after the move
	}{
		"news with the gift":             {true, func(mover) {}, "es", "es news"},
		"no news":                        {false, func(mover) {}, "es", "es"},
		"news of another decision":       {false, func(m mover) { m.decide(mistyped, "news", true) }, "es news news true", "es"},
		"withdrawn by the reader":        {true, func(m mover) { m.decide(mistyped, "news", false) }, "es news false", "es"},
		"emails that the reader stopped": {true, func(m mover) { m.decide(mistyped, "reminders", false); m.decide(mistyped, "statements", false) }, "es reminders false statements false", "es news"},
		"the right donor stopped emails": {true, func(m mover) {
			m.SettledGift(form(right, "Ana", "once"))
			m.decide(right, "statements", false)
		}, "es", "en news statements false"},
		"the right donor withdrew": {true, func(m mover) {
			m.SettledGift(form(right, "Ana", "once"))
			m.decide(right, "news", true)
			m.decide(right, "news", false)
		}, "es", "en news true news false"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMover(t)
			f := form(mistyped, "Ana", "once")
			f.News, f.Language = test.news, "es"
			d := m.SettledGift(f)
			test.before(m)
			_, err := m.move(d, right)
			require.NoError(t, err)
			require.Equal(t, test.mistyped, m.wishes(mistyped), "the mistyped address")
			require.Equal(t, test.corrected, m.wishes(right), "the right address")
			require.Equal(t, []string{"es"}, m.Lines(`SELECT language FROM donation WHERE id = $1`, d.ID))
		})
	}
}
