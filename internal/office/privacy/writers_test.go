package privacy_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// erasing is an erasure whose transaction is not committed: the rows are erased, and nobody sees it yet.
type erasing struct {
	*program.Program
	t  *testing.T
	id uuid.UUID
	tx *sqlx.Tx
}

// beginErasing requests the erasure of the canaries' donors and erases them, without a commit.
func beginErasing(t *testing.T, h *program.Program) *erasing {
	t.Helper()
	e, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	h.Exec(`DELETE FROM river_job`) // what was enqueued is not what is tested
	tx, err := h.DB.Owner.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	for _, statement := range []string{`SELECT erase_people($1, '{}')`, `UPDATE erasure SET done_at = now() WHERE id = $1`} {
		_, err = tx.Exec(statement, e.ID)
		require.NoError(t, err)
	}
	return &erasing{h, t, e.ID, tx}
}

// commitBehind starts writers, commits the erasure when all of them wait for it, and returns their errors.
func (e *erasing) commitBehind(writers map[string]func() error) map[string]error {
	e.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	errs := map[string]error{}
	for name, write := range writers {
		all.Go(func() {
			err := write()
			mu.Lock()
			defer mu.Unlock()
			errs[name] = err
		})
	}
	testkit.Eventually(e.t, time.Minute, func() error {
		waiting := e.Count(`SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`)
		if waiting < len(writers) {
			mu.Lock()
			defer mu.Unlock()
			return fmt.Errorf("%d of %d writers wait; done: %v", waiting, len(writers), errs)
		}
		return nil
	})
	require.NoError(e.t, e.tx.Commit())
	all.Wait()
	return errs
}

// waitForLocks waits until as many transactions wait for a lock of another one.
func waitForLocks(t *testing.T, h *program.Program, n int) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		waiting := h.Count(`SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`)
		if waiting < n {
			return fmt.Errorf("%d of %d transactions wait", waiting, n)
		}
		return nil
	})
}

// inTx returns a writer that runs in a transaction of the server's role.
func (e *erasing) inTx(write func(tx *sqlx.Tx) error) func() error {
	return func() error { return pg.InTx(e.t.Context(), e.DB.Server, write) }
}

// sql returns a writer that runs one statement.
func (e *erasing) sql(statement string, args ...any) func() error {
	return e.inTx(func(tx *sqlx.Tx) error {
		_, err := tx.Exec(statement, args...)
		return err
	})
}

// TestWritersWaitForAnErasure: everything that writes about a donor and has read the donor before the erasure waits
// for it, and writes nothing about the person afterwards.
func TestWritersWaitForAnErasure(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	d := h.SettledGift(canaryForm())
	h.Exec(`INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, created_at, begun_at, ended_at)
		SELECT id, entity_id, organisation_id, donor_id, public_ref, 'cancelled', 'monthly', amount, 0, currency, language, now(), now(), now() FROM donation WHERE id = $1`, d.ID)
	issued, err := receipt.ByDonations(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
	require.NoError(t, err)
	first, err := receipt.ByDonations(t.Context(), h.DB.Server, mustIDs(t, h, d))
	require.NoError(t, err)
	mailed := first[0]
	if mailed.ID == issued[0].ID {
		mailed = first[1]
	}
	statement := h.Lines(`SELECT s.id::text FROM statement s WHERE donor_id = $1`, d.DonorID)[0]
	facts := mailed.Facts
	contactOf := canaryForm().Contact
	e := beginErasing(t, h)
	sent := len(h.Mail.Messages())
	detail := `{"reason": "` + canaries[5] + `", "brand": "` + canaries[1] + `", "n": 7}`
	errs := e.commitBehind(map[string]func() error{
		"a receipt's email": func() error { return h.Receipts.Mail(t.Context(), issued[0].ID) },
		"a statement's email": func() error {
			return mail.Statements{Mailer: h.Receipts.Mailer}.Mail(t.Context(), uuid.MustParse(statement))
		},
		"a tribute card": func() error {
			return mail.TributeCards{Mailer: h.Receipts.Mailer, Catalog: h.Catalog}.Mail(t.Context(), d.ID)
		},
		"an email sent again": func() error {
			return mail.Resender{Receipts: h.Receipts, Queue: h.Queue}.Resend(t.Context(), mailed, "staff")
		},
		"an erasure's email": e.sql(`INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at) VALUES (gen_random_uuid(), $1, 'erasure_asked', $2, 'x', 'x', $3, now())`, d.EntityID, e.id, []byte(canaries[0])),
		"a delivery":         e.sql(`INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at) SELECT gen_random_uuid(), id, $1, 'address', 'x', now() FROM letter WHERE subject_id = $2`, canaries[0], mailed.ID),
		"a profile": e.inTx(func(tx *sqlx.Tx) error {
			return donor.UpdateProfileTx(t.Context(), tx, []uuid.UUID{d.DonorID}, donor.Profile{FirstName: canaries[1], LastName: canaries[2], Language: "en", Details: contactOf.Details}, time.Now())
		}),
		"a choice of emails": e.inTx(func(tx *sqlx.Tx) error {
			return donor.SetEmailPreferenceTx(t.Context(), tx, d.DonorID, donor.KindNews, true, "donor", time.Now())
		}),
		"a paid gift": e.inTx(func(tx *sqlx.Tx) error {
			return donor.RecordPaidGiftsTx(t.Context(), tx, []donor.PaidGift{{DonorID: d.DonorID, FirstName: canaries[1], Language: "en", News: true, At: time.Now()}})
		}),
		"a statement's person": e.sql(`WITH s AS (INSERT INTO statement SELECT gen_random_uuid(), entity_id, donor_id, year, 99, language, words_version, facts, now() FROM statement WHERE id = $1 RETURNING id) INSERT INTO statement_person SELECT id, jsonb_build_object('email', $2::text) FROM s`, statement, canaries[0]),
		"a card of a plan":     e.sql(`UPDATE plan SET card_brand = $2, card_last4 = '4242' WHERE id = $1`, d.ID, canaries[1]),
		"an event of a plan":   e.sql(`INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES (gen_random_uuid(), $1, 'x', 'x', $2, now())`, d.ID, detail),
		"an event behind a table of its own": e.inTx(func(tx *sqlx.Tx) error {
			for _, table := range []string{"erasure_donor", "plan"} {
				if _, err := tx.Exec(`CREATE TEMP TABLE ` + table + ` (LIKE public.` + table + `) ON COMMIT DROP`); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES (gen_random_uuid(), $1, 'x', 'y', $2, now())`, d.ID, detail)
			return err
		}),
		"a request of a plan": e.sql(`INSERT INTO plan_request (id, plan_id, kind, subject, detail, asked_by, asked_at) VALUES (gen_random_uuid(), $1, 'x', 'x', $2, 'x', now())`, d.ID, detail),
		"a corrected receipt": e.inTx(func(tx *sqlx.Tx) error {
			_, err := h.Settler.Receipts.ReplaceTx(t.Context(), tx, []receipt.Replacement{{Of: mailed.ID, Facts: facts, Change: receipt.Change{Reason: receipt.Corrected, On: "2026-01-01", By: "staff"}}}, time.Now())
			return err
		}),
		"a gift entered at the office": e.inTx(func(tx *sqlx.Tx) error {
			_, err := donation.RecordTx(t.Context(), tx, donation.Record{ID: program.NewID(), PublicRef: program.NewRef(), EntityID: d.EntityID, OrganisationID: d.OrganisationID, DonorID: d.DonorID,
				Source: donation.FromOffice, Contact: contactOf, Dedication: &dedication.Dedication{Kind: dedication.Honour, Name: canaries[6]}, Language: "en", At: time.Now(), Cause: "staff",
				Parts: []donation.Designation{{FundID: h.Offer("csio").Funds[0].ID, Amount: facts.Amount}}})
			return err
		}),
	})
	for name, err := range errs {
		if name == "an email sent again" {
			assert.ErrorIs(t, err, mail.ErrNoRecipient)
			continue
		}
		assert.NoError(t, err, name)
	}
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	require.Len(t, h.Mail.Messages(), sent, "nothing is sent that was rendered before")
	require.Equal(t, []string{`{"n": 7}`, `{"n": 7}`, `{"n": 7}`}, h.Lines(`SELECT detail::text FROM plan_event WHERE kind = 'x' UNION ALL SELECT detail::text FROM plan_request WHERE kind = 'x'`))
	require.Empty(t, e.tracesAndRows())
}

// tracesAndRows compares the addresses as the server does each night, and returns the subjects of A17.
func (e *erasing) tracesAndRows() []string {
	e.t.Helper()
	require.NoError(e.t, pg.InTx(e.t.Context(), e.DB.Server, func(tx *sqlx.Tx) error { return e.Privacy.RecordTracesTx(e.t.Context(), tx) }))
	return e.Lines(`SELECT subject FROM check_erased_person ORDER BY 1`)
}

// TestAddressesWaitForAnErasure: a form, a sign-in and a proof that come in during an erasure wait for it. Then they
// belong to a new person, who has nothing of the erased one; secrets that were sent before are worth nothing.
func TestAddressesWaitForAnErasure(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	before := erasureRequest(t, h).Donors[0]
	old := h.Lines(`SELECT person_id::text FROM mailbox`)[0]
	e := beginErasing(t, h)
	var found uuid.UUID
	errs := e.commitBehind(map[string]func() error{
		"a sign-in": func() error {
			return h.Access.RequestChallenge(t.Context(), donoraccess.EmailChallenge{Email: canaries[0], Browser: "b", Language: "en"})
		},
		"a form": e.inTx(func(tx *sqlx.Tx) (err error) {
			found, err = donor.FindOrAddTx(t.Context(), tx, donor.Donor{ID: program.NewID(), EntityID: h.Offer("csio").Entity.ID, Email: canaries[0], Language: "en", CreatedAt: time.Now()})
			return err
		}),
		"a code": e.inTx(func(tx *sqlx.Tx) error {
			return tx.Get(new(string), `SELECT email FROM sign_in WHERE email = $1 ORDER BY id LIMIT 1 FOR UPDATE`, canaries[0])
		}),
		"a proof": e.sql(`WITH m AS (INSERT INTO mailbox AS m (email, person_id, proved_at) VALUES ($1, $2, now()) ON CONFLICT (email) DO UPDATE SET proved_at = now() RETURNING *)
			INSERT INTO session (id, person_id, email, sign_in_id, token_hash) SELECT gen_random_uuid(), person_id, email, gen_random_uuid(), sha256('z') FROM m`, canaries[0], uuid.New()),
	})
	assert.ErrorContains(t, errs["a code"], "no rows", "it was deleted")
	delete(errs, "a code")
	for name, err := range errs {
		assert.NoError(t, err, name)
	}
	require.NotEqual(t, before, found, "a new donor")
	require.Equal(t, []string{"donor.email", "mailbox.email", "session.email", "sign_in.email"}, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	require.Zero(t, h.Count(`SELECT count(*) FROM session WHERE person_id = $1`, old))
	require.Zero(t, h.Count(`SELECT count(*) FROM mailbox WHERE person_id = $1`, old))
	require.Empty(t, e.tracesAndRows(), "rows that are newer than the erasure are a new person's")
}

// TestNewGiftElsewhere: a person who begins a donation to another legal entity after the request is erased there too,
// after the same waiting time.
func TestNewGiftElsewhere(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(canaryForm())
	e, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	h.AgeErasures()
	h.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at) SELECT gen_random_uuid(), id, $1, $2, $3, 'en', now() FROM legal_entity WHERE slug = 'aina'`, canaries[0], canaries[1], canaries[2])
	h.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at) SELECT gen_random_uuid(), id, 'other-' || $1, 'Ana', 'Lima', 'en', now() FROM legal_entity`, canaries[0])
	h.Privacy.Now = func() time.Time { return time.Now().Add(privacy.DefaultDelay + time.Minute) }
	n, err := h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "the waiting time begins again for the new donor")
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM erasure_donor WHERE erasure_id = $1`, e.ID))
	h.AgeErasures()
	n, err = h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Zero(t, h.Count(`SELECT count(*) FROM donor WHERE email = $1`, canaries[0]))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM donor WHERE email = 'other-' || $1`, canaries[0]), "whole addresses only")
}

// TestTraces: the nightly comparison finds rows that contain an erased address, in any table, by whole values and only
// if they are older than the erasure. Erasing once more removes them.
func TestTraces(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	e := beginErasing(t, h)
	require.NoError(t, e.tx.Commit())
	require.Empty(t, e.tracesAndRows())
	other := h.Offer("csio").Entity.ID
	add := func(email, since string) string {
		id := uuid.NewString()
		defer h.Exec(`UPDATE donor SET recorded_at = created_at WHERE id = $1`, id)
		h.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
			SELECT $1, id, $2, '', '', 'en', now() + $3::interval FROM legal_entity WHERE id <> $4 ORDER BY slug LIMIT 1`, id, email, since, other)
		return id
	}
	event := func(id, payload string) {
		h.Exec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256, received_at, state, done_at)
			VALUES ($1, $2, 'customer.deleted', '2023-10-16', now(), $3, sha256($3), now() - interval '1 hour', 'done', now())`, other, id, []byte(payload))
	}
	left := add(canaries[0], "-1 day")
	add("anna-"+canaries[0], "-1 day")
	add(canaries[0]+".example", "-1 day")
	event("evt_theirs", `{"email": "Canary@Example.org", "note": "from <canary@example.org>"}`)
	event("evt_others", `{"email": "anna-canary@example.org", "more": "canary@example.org.example", "at": "@"}`)
	event("evt_not_text", "\xff canary@example.org")
	event("evt_without", `{"id": "cus_1"}`)
	want := []string{"donor " + left, "stripe_event evt_not_text", "stripe_event evt_theirs"}
	require.Equal(t, want, e.tracesAndRows())
	require.Equal(t, want, e.tracesAndRows(), "the same night after night")

	require.NoError(t, h.OwnersPrivacy().Erase(t.Context(), e.id))
	require.Empty(t, e.tracesAndRows())
	require.Equal(t, []string{"evt_others", "evt_without"}, h.Lines(`SELECT id FROM stripe_event WHERE payload IS NOT NULL AND id IN ('evt_others', 'evt_without', 'evt_theirs') ORDER BY 1`))
	add(canaries[0], "1 hour")
	require.Empty(t, e.tracesAndRows(), "who comes later is a new person")
}
