package correction_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/correction"
	"konbit/internal/office/offline"
	"konbit/internal/people/approval"
	"konbit/internal/platform/money"
	"konbit/internal/processor/offlinepay"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

type fixture struct {
	*program.Program
	t          *testing.T
	ana, ben   *office.Person
	entity     uuid.UUID
	gift, next uuid.UUID
	service    correction.Service
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	h := program.New(t, program.Options{NoStripe: true})
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	f := fixture{Program: h, t: t, ana: office.Add(t, h.DB.Owner, "ana", office.Role{Role: "finance", Entity: "tsne"}),
		ben: office.Add(t, h.DB.Owner, "ben", office.Role{Role: "finance", Entity: "tsne"})}
	visitor.PostBatch(t, h, "csio", offline.Typed{"first_name": "Rosa", "last_name": "Lima", "email": "rosa@example.org", "amount": "100", "number": "1001"})
	require.NoError(t, h.DB.Owner.Get(&f.entity, `SELECT id FROM legal_entity WHERE slug = 'tsne'`))
	require.NoError(t, h.DB.Owner.Get(&f.gift, `SELECT id FROM offline_gift`))
	f.service = correction.Service{Books: offlinepay.Booker{Booker: h.Booker}, Poster: h.Poster, NewID: program.NewID}
	return f
}

func (f fixture) act(n *correction.New) correction.Act {
	return correction.Act{EntityID: f.entity, GiftID: f.gift, Paid: money.New(100_00, "USD"), Reason: "typed twice", New: n}
}

// ask asks as ana and returns the request.
func (f fixture) ask(a correction.Act) approval.Stored {
	f.t.Helper()
	ask := a.RequestOf(program.NewID(), f.ana.ID)
	f.ana.SignIn(f.t)
	require.NoError(f.t, f.ana.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error { return correction.AskTx(f.t.Context(), tx, a, ask) }))
	stored, err := approval.ByID(f.t.Context(), f.DB.Server, ask.ID)
	require.NoError(f.t, err)
	return stored
}

func (f fixture) execute(by *office.Person, r approval.Stored, approve bool) error {
	return by.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error {
		if approve {
			if err := approval.ApproveTx(f.t.Context(), tx, r.ID, r.Hash(), by.Code(f.t), ""); err != nil {
				return err
			}
		}
		return f.service.ExecuteTx(f.t.Context(), tx, f.CurrentCatalog(), r)
	})
}

// TestNoVoidWithoutTwoPeople: the database refuses a void by one person, of another request, of a posted gift in another place than was approved, and a
// void of the books without one.
func TestNoVoidWithoutTwoPeople(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.ask(f.act(nil))
	require.ErrorIs(t, f.execute(f.ana, r, false), correction.ErrSecondOnly, "the requester alone")
	require.ErrorIs(t, f.execute(f.ben, r, false), correction.ErrSecondOnly, "nobody approved it")
	require.Equal(t, "approval_by_another", approval.Refused(f.execute(f.ana, r, true)))
	err := f.ben.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error {
		_, err := f.service.Books.VoidOfflineTx(t.Context(), tx, f.CurrentCatalog(), f.entity, f.gift)
		return err
	})
	require.Equal(t, "payment_void_has_cause", approval.Refused(err), "the books alone")
	err = f.ben.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error {
		if err := approval.ApproveTx(t.Context(), tx, r.ID, r.Hash(), f.ben.Code(t), ""); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO gift_void (id, entity_id, gift_id, request_id, request_hash) VALUES ($1, $2, $3, $4, $5)`, r.Subject, f.entity, f.gift, r.ID, r.StoredHash)
		return err
	})
	require.NotEmpty(t, approval.Refused(err), "an approval that leaves the gift in the books")
	for _, change := range []string{`UPDATE gift_void_request SET reason = 'x'`, `DELETE FROM gift_void_request`,
		`INSERT INTO gift_void_request SELECT $1::uuid, entity_id, gift_id, 'another', typed, donor_id, received_on, account FROM gift_void_request`} {
		err := f.ana.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error {
			args := []any{}
			if change[0] == 'I' {
				args = append(args, program.NewID())
			}
			_, err := tx.Exec(change, args...)
			return err
		})
		require.Error(t, err, change)
	}
	require.NoError(t, f.execute(f.ben, r, true))
	require.Error(t, f.execute(f.ben, r, false), "once")
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM gift_void`))
	f.RequireNoFindings()
}

// TestAnErasureEmptiesARequest: what waits names nobody after the donor was erased, and is executed no more.
func TestAnErasureEmptiesARequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	n := &correction.New{Typed: offline.Typed{"first_name": "Canary", "last_name": "Lima", "amount": "100.00", "fund": "general", "method": "check", "given_by": "person", "note": "señal"},
		ReceivedOn: ledger.Date{Year: 2026, Month: 1, Day: 5}}
	r := f.ask(f.act(n))
	read, err := correction.Asked(t.Context(), f.DB.Server, r)
	require.NoError(t, err)
	require.Equal(t, n.Typed, read.New.Typed)
	require.NoError(t, f.ben.InTx(t, f.DB.Owner, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`SET LOCAL konbit.erasing = 'yes'`)
		if err == nil {
			_, err = tx.Exec(`UPDATE gift_void_request SET reason = '', typed = '{}'`)
		}
		return err
	}))
	_, err = correction.Asked(t.Context(), f.DB.Server, r)
	require.ErrorIs(t, err, correction.ErrChanged)
	require.ErrorIs(t, f.execute(f.ben, r, true), correction.ErrChanged)
	require.Zero(t, f.Count(`SELECT count(*) FROM gift_void`))
}
