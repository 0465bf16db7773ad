package donor_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/pg"
)

// emails returns the addresses of the donors that ByEmails finds, in its order.
func (s store) emails(addresses ...string) (found []string) {
	s.t.Helper()
	all, err := donor.ByEmails(s.t.Context(), s.DB.Server, addresses)
	require.NoError(s.t, err)
	for _, d := range all {
		found = append(found, d.Email)
	}
	return found
}

// TestTagsAreOtherDonors: the address with a tag after a plus sign may be another person's mailbox. Limits count such
// addresses together (email.MailboxKey); donors are never merged by it.
func TestTagsAreOtherDonors(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	plain := s.add(donor.Donor{Email: "ana@example.org"})
	require.NotEqual(t, plain, s.add(donor.Donor{Email: "ana+gifts@example.org"}))
	require.Equal(t, []string{"ana@example.org"}, s.emails("ana@example.org"))
	require.Equal(t, []string{"ana+gifts@example.org"}, s.emails("ana+gifts@example.org"))
	require.Empty(t, s.emails("ana+other@example.org"))
}

// TestEntitiesDoNotShareDonors: one address is another donor in another entity. A person who proved the address sees
// both, the newer one first.
func TestEntitiesDoNotShareDonors(t *testing.T) {
	t.Parallel()
	here := newStore(t)
	elsewhere := here
	elsewhere.entity = insertEntity(t, here.DB)
	one, other := here.add(donor.Donor{Email: "ana@example.org"}), elsewhere.add(donor.Donor{Email: "ana@example.org"})
	require.NotEqual(t, one, other)
	now := time.Now()
	here.paid(donor.PaidGift{DonorID: other, At: now.Add(-time.Hour)}, donor.PaidGift{DonorID: one, At: now})
	all, err := donor.ByEmails(t.Context(), here.DB.Server, []string{"ana@example.org"})
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{one, other}, donor.IDs(all))
	require.Equal(t, []uuid.UUID{here.entity, elsewhere.entity}, []uuid.UUID{all[0].EntityID, all[1].EntityID})
}

// TestDonorsWithoutAnAddressAreNeverMerged: two people may have the same name, so each offline gift without an address
// has a donor of its own, and no address finds one.
func TestDonorsWithoutAnAddressAreNeverMerged(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	rosa := donor.Donor{FirstName: "Rosa", LastName: "Lima"}
	ids := map[uuid.UUID]bool{}
	for _, id := range s.addConcurrently(8, rosa) {
		ids[id] = true
		require.False(t, s.read(id).IsErased())
	}
	require.Len(t, ids, 8)
	require.Empty(t, s.emails(""))
	require.Equal(t, 8, s.count(`SELECT count(*) FROM donor WHERE email IS NULL AND last_name = 'Lima'`))
}

// TestConcurrentFirstGiftsOfOneAddress: many forms with one new address, sent at the same time, add one donor.
func TestConcurrentFirstGiftsOfOneAddress(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ids := s.addConcurrently(8, donor.Donor{Email: "ana@example.org", FirstName: "Ana"})
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.Equal(t, 1, s.count(`SELECT count(*) FROM donor WHERE email = 'ana@example.org'`))
}

// addConcurrently adds a donor n times at once and returns the ids that FindOrAddTx returned.
func (s store) addConcurrently(n int, d donor.Donor) []uuid.UUID {
	s.t.Helper()
	d.EntityID, d.Language, d.CreatedAt = s.entity, "en", time.Now()
	ids := make([]uuid.UUID, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			mine := d
			mine.ID = newID()
			<-start
			assert.NoError(s.t, pg.InTx(s.t.Context(), s.DB.Server, func(tx *sqlx.Tx) (err error) {
				ids[i], err = donor.FindOrAddTx(s.t.Context(), tx, mine)
				return err
			}))
		})
	}
	close(start)
	all.Wait()
	return ids
}

// TestFindOrAddWaitsForAnotherTransaction: a transaction that adds the same address first decides. If it commits, the
// waiting one gets its donor; if it rolls back, the waiting one adds its own.
func TestFindOrAddWaitsForAnotherTransaction(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]error{"commit": nil, "rollback": errors.New("rolled back")} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			ana := donor.Donor{ID: newID(), EntityID: s.entity, Email: "ana@example.org", Language: "en", CreatedAt: time.Now()}
			second := make(chan uuid.UUID, 1)
			err := pg.InTx(t.Context(), s.DB.Server, func(tx *sqlx.Tx) error {
				id, err := donor.FindOrAddTx(t.Context(), tx, ana)
				assert.Equal(t, ana.ID, id)
				go func() {
					other := ana
					other.ID = newID()
					var found uuid.UUID
					assert.NoError(t, pg.InTx(t.Context(), s.DB.Server, func(tx *sqlx.Tx) (err error) {
						found, err = donor.FindOrAddTx(t.Context(), tx, other)
						return err
					}))
					second <- found
				}()
				s.waitForLock(tx)
				return errors.Join(err, end)
			})
			require.Equal(t, end == nil, err == nil)
			found := <-second
			require.Equal(t, end == nil, found == ana.ID)
			require.Equal(t, []uuid.UUID{found}, donor.IDs(must(donor.ByEmails(t.Context(), s.DB.Server, []string{"ana@example.org"}))))
		})
	}
}

// waitForLock returns when another transaction waits for this one.
func (s store) waitForLock(tx *sqlx.Tx) {
	s.t.Helper()
	var pid, waiting int
	assert.NoError(s.t, tx.Get(&pid, `SELECT pg_backend_pid()`))
	for range 1000 {
		assert.NoError(s.t, s.DB.Owner.Get(&waiting, `SELECT count(*) FROM pg_locks WHERE NOT granted AND $1::integer = ANY(pg_blocking_pids(pid))`, pid))
		if waiting > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Error("no transaction waits")
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// TestOrganisationNames: an organisation has the name of its latest paid donation, and stays an organisation. A
// person's row never gets an organisation's name: a constraint refuses it.
func TestOrganisationNames(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	now := time.Now()
	coop := s.add(donor.Donor{Kind: donor.Organisation, OrganisationName: "Elm Street Co-op", Email: "coop@example.org"})
	person := s.add(donor.Donor{Email: "ana@example.org", FirstName: "Ana", LastName: "Pérez"})
	for _, test := range []struct{ paid, want string }{{"Elm Street Cooperative", "Elm Street Cooperative"}, {"", "Elm Street Cooperative"}} {
		s.paid(donor.PaidGift{DonorID: coop, OrganisationName: test.paid, Language: "en", At: now},
			donor.PaidGift{DonorID: person, FirstName: "Ana", LastName: "Pérez", OrganisationName: test.paid, Language: "en", At: now})
		require.Equal(t, test.want, s.read(coop).OrganisationName)
		require.Equal(t, donor.Organisation, s.read(coop).Kind)
		require.Empty(t, s.read(person).OrganisationName)
		require.Equal(t, donor.Person, s.read(person).Kind)
	}
	err := pg.InTx(t.Context(), s.DB.Server, func(tx *sqlx.Tx) error {
		_, err := donor.FindOrAddTx(t.Context(), tx, donor.Donor{ID: newID(), EntityID: s.entity, Language: "en", CreatedAt: now, OrganisationName: "A person's"})
		return err
	})
	require.True(t, pg.Violates(err, "donor_organisation_name"), "%v", err)
}
