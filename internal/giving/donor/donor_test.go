package donor_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// store writes donors of one entity, each in a transaction of its own. It does not use package program, which imports
// package donor through many others: they would be compiled a second time, because merge_test.go is in package donor.
type store struct {
	DB     *testkit.Database
	t      *testing.T
	entity uuid.UUID
}

func newStore(t *testing.T) store {
	db := testkit.DB(t)
	return store{db, t, insertEntity(t, db)}
}

func insertEntity(t *testing.T, db *testkit.Database) uuid.UUID {
	t.Helper()
	id := newID()
	_, err := db.Owner.Exec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
		VALUES ($1, $2, 'Entity', '12-3456789', '{}', 'UTC', 'USD', 'gifts@entity.example', now(), now())`, id, "e-"+id.String())
	require.NoError(t, err)
	return id
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// count returns the number that a query selects.
func (s store) count(query string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.DB.Owner.Get(&n, query, args...))
	return n
}

func (s store) tx(fn func(tx *sqlx.Tx) error) {
	s.t.Helper()
	require.NoError(s.t, pg.InTx(s.t.Context(), s.DB.Server, fn))
}

func (s store) add(d donor.Donor) (id uuid.UUID) {
	s.t.Helper()
	d.ID, d.EntityID, d.Language, d.CreatedAt = newID(), s.entity, "en", time.Now()
	s.tx(func(tx *sqlx.Tx) (err error) {
		id, err = donor.FindOrAddTx(s.t.Context(), tx, d)
		return err
	})
	return id
}

func (s store) paid(gifts ...donor.PaidGift) {
	s.t.Helper()
	s.tx(func(tx *sqlx.Tx) error { return donor.RecordPaidGiftsTx(s.t.Context(), tx, gifts) })
}

func (s store) read(id uuid.UUID) donor.Donor {
	s.t.Helper()
	all, err := donor.ByIDs(s.t.Context(), s.DB.Server, []uuid.UUID{id})
	require.NoError(s.t, err)
	require.Len(s.t, all, 1)
	return all[0]
}

// TestDonorsByAddress: in an entity, an address is one donor. Each donor without an address is a new one.
func TestDonorsByAddress(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ana := donor.Donor{Email: "ana@example.org", FirstName: "Ana", LastName: "Pérez"}
	first := s.add(ana)
	ana.FirstName = "Somebody"
	require.Equal(t, first, s.add(ana))
	require.Equal(t, "Ana", s.read(first).FirstName, "a form never changes a donor")
	rosa := donor.Donor{FirstName: "Rosa", LastName: "Lima"}
	require.NotEqual(t, s.add(rosa), s.add(rosa))
	cooperative := s.read(s.add(donor.Donor{Kind: donor.Organisation, OrganisationName: "Elm Street Co-op"}))
	require.Equal(t, []any{donor.Organisation, "Elm Street Co-op", ""}, []any{cooperative.Kind, cooperative.OrganisationName, cooperative.Email})
}

// TestNamesOfPaidGifts: the donor has the names of the latest paid donation, until the donor enters a profile.
func TestNamesOfPaidGifts(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	id, now := s.add(donor.Donor{Email: "ana@example.org", FirstName: "Ana", LastName: "Pérez"}), time.Now()
	s.paid(donor.PaidGift{DonorID: id, FirstName: "Anita", LastName: "P.", Language: "es", At: now})
	require.Equal(t, []string{"Anita", "P.", "es"}, []string{s.read(id).FirstName, s.read(id).LastName, s.read(id).Language})
	s.tx(func(tx *sqlx.Tx) error {
		return donor.UpdateProfileTx(t.Context(), tx, []uuid.UUID{id}, donor.Profile{FirstName: "Ana María", LastName: "Pérez", Language: "en"}, now)
	})
	s.paid(donor.PaidGift{DonorID: id, FirstName: "A", LastName: "B", Language: "es", At: now.Add(time.Hour)})
	require.Equal(t, []string{"Ana María", "en"}, []string{s.read(id).FirstName, s.read(id).Language})
}

// TestNewsConsent: a donation gives consent and never withdraws it. A donation from before the donor stopped the news
// changes nothing.
func TestNewsConsent(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	id, now := s.add(donor.Donor{Email: "ana@example.org"}), time.Now().UTC().Truncate(time.Second)
	news := func() bool {
		kinds, err := donor.EmailPreferences(t.Context(), s.DB.Server, id)
		require.NoError(t, err)
		return kinds[donor.KindNews]
	}
	for _, step := range []struct {
		what string
		do   func()
		want bool
	}{
		{"a donation without consent", func() { s.paid(donor.PaidGift{DonorID: id, At: now}) }, false},
		{"a donation with consent", func() { s.paid(donor.PaidGift{DonorID: id, News: true, At: now}) }, true},
		{"a later donation without consent", func() { s.paid(donor.PaidGift{DonorID: id, At: now.Add(time.Hour)}) }, true},
		{"the donor stops the news", func() {
			s.tx(func(tx *sqlx.Tx) error {
				return donor.SetEmailPreferenceTx(t.Context(), tx, id, donor.KindNews, false, "test", now.Add(2*time.Hour))
			})
		}, false},
		{"a donation from before that", func() { s.paid(donor.PaidGift{DonorID: id, News: true, At: now.Add(time.Hour)}) }, false},
		{"a donation after that", func() { s.paid(donor.PaidGift{DonorID: id, News: true, At: now.Add(3 * time.Hour)}) }, true},
	} {
		step.do()
		require.Equal(t, step.want, news(), step.what)
	}
	decisions, err := donor.Consents(t.Context(), s.DB.Server, id)
	require.NoError(t, err)
	require.Len(t, decisions, 1, "only the donor's own decision is recorded here")
}

// TestEraseUnpaid erases a donor who never gave, and does not change one who gave.
func TestEraseUnpaid(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	never, gave := s.add(donor.Donor{Email: "a@example.org", FirstName: "A"}), s.add(donor.Donor{Email: "b@example.org", FirstName: "B"})
	s.paid(donor.PaidGift{DonorID: gave, FirstName: "B", Language: "en", At: time.Now()})
	s.tx(func(tx *sqlx.Tx) error { return donor.EraseUnpaidTx(t.Context(), tx, []uuid.UUID{never, gave}) })
	require.Empty(t, s.read(never).Email)
	require.Empty(t, s.read(never).FirstName)
	require.False(t, s.read(never).IsErased(), "no erasure names them")
	require.Equal(t, "b@example.org", s.read(gave).Email)

	// A page that was opened before writes nothing.
	s.tx(func(tx *sqlx.Tx) error {
		return donor.UpdateProfileTx(t.Context(), tx, []uuid.UUID{never}, donor.Profile{FirstName: "A", LastName: "B", Language: "en"}, time.Now())
	})
	s.tx(func(tx *sqlx.Tx) error {
		return donor.SetEmailPreferenceTx(t.Context(), tx, never, donor.KindNews, true, "donor", time.Now())
	})
	require.Equal(t, 1, s.count(`SELECT count(*) FROM donor WHERE id = $1 AND first_name || last_name = '' AND news_consented_at IS NULL`, never))
	all, err := donor.ByEmails(t.Context(), s.DB.Server, []string{"forgotten-" + never.String() + "@invalid"})
	require.NoError(t, err)
	require.Empty(t, all, "that is no address")
	s.paid(donor.PaidGift{DonorID: never, FirstName: "A", Language: "en", At: time.Now()})
	require.Equal(t, "A", s.read(never).FirstName, "a late payment makes a donor of them")
}
