package privacy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// accessRows inserts a proved address, a sign-in and a session of the person of the canaries, as of now.
func accessRows(h *program.Program) {
	h.Exec(`INSERT INTO mailbox VALUES ($1, gen_random_uuid(), now())`, canaries[0])
	h.Exec(`INSERT INTO mailbox_step (email, kind, after) SELECT email, 'proved', person_id FROM mailbox WHERE email = $1`, canaries[0])
	h.Exec(`INSERT INTO sign_in (id, email, language, browser_hash) VALUES (gen_random_uuid(), $1, 'en', sha256('x'))`, canaries[0])
	h.Exec(`INSERT INTO session (id, person_id, email, sign_in_id, token_hash)
		SELECT gen_random_uuid(), person_id, email, gen_random_uuid(), sha256('z') FROM mailbox WHERE email = $1`, canaries[0])
}

// giftOfAnother returns the settled donation of somebody else.
func giftOfAnother(h *program.Program) string {
	return h.Lines(`SELECT g.id::text FROM donation g JOIN donor d ON d.id = g.donor_id WHERE d.email NOT IN ($1, 'forgotten-' || d.id || '@invalid') AND g.status = 'settled'`, canaries[0])[0]
}

// deliverElsewhere is SQL that orders an email about the receipt of a donation, to an address, some time ago, as staff
// do. It returns the delivery's id.
const deliverElsewhere = `WITH l AS (INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at)
	SELECT gen_random_uuid(), entity_id, 'receipt', id, 'x', gen_random_uuid()::text, 'x', now() FROM receipt WHERE donation_id = $1 RETURNING id)
	INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at)
	SELECT gen_random_uuid(), id, $2, 'address', 'x', now() - $3::interval FROM l RETURNING id::text`

// TestWhoReturnedIsANewPerson: a person was erased long ago and gives again. The nightly comparison and a repeated
// erasure treat the donor as a new person. This also holds after the list is applied to a restored backup, which records
// the erasure today, and while an older row must still be erased.
func TestWhoReturnedIsANewPerson(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	e := beginErasing(t, h)
	require.NoError(t, e.tx.Commit())
	h.Exec(`UPDATE erasure SET done_at = now() - interval '200 days'`)
	h.Exec(`UPDATE erasure_donor SET erased_at = now() - interval '200 days'`)
	h.Exec(`DELETE FROM erasure_done`) // as in a backup from before the erasure
	accessRows(h)
	d := h.SettledGift(canaryForm())
	issued, err := receipt.ByDonations(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
	require.NoError(t, err)
	require.NoError(t, h.Receipts.Mail(t.Context(), issued[0].ID))
	columns := testkit.ColumnsContaining(t, h.DB.Owner, canaries)
	for _, column := range []string{"donor.email", "donation_contact.email", "receipt.facts", "letter_delivery.recipient", "mailbox.email", "mailbox_step.email", "session.email", "sign_in.email"} {
		require.Contains(t, columns, column)
	}
	list, err := privacy.ListDone(t.Context(), h.DB.Owner)
	require.NoError(t, err)
	require.Len(t, list, 1)
	stays := func() {
		t.Helper()
		applied, err := h.OwnersPrivacy().Apply(t.Context(), list)
		require.NoError(t, err)
		require.Equal(t, privacy.ApplyResult{Erased: 1}, applied)
		require.Empty(t, e.tracesAndRows())
		require.Equal(t, columns, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	}
	stays()
	stays()

	other := h.Lines(deliverElsewhere, giftOfAnother(h), canaries[0], "300 days")[0]
	require.Equal(t, []string{"letter_delivery " + other}, e.tracesAndRows())
	stays()
	require.Zero(t, h.Count(`SELECT count(*) FROM letter_delivery WHERE id = $1 AND recipient <> ''`, other))
}

// TestEveryPlaceOfAnAddressIsCleared: a repeated erasure clears every row that the nightly comparison finds. In rows about
// other people it clears only the address.
func TestEveryPlaceOfAnAddressIsCleared(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	of := giftOfAnother(h)
	e := beginErasing(t, h)
	require.NoError(t, e.tx.Commit())
	accessRows(h)
	for _, statement := range []string{
		`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
			SELECT gen_random_uuid(), id, $1, '', '', 'en', now() FROM legal_entity WHERE slug = 'aina'`,
		`UPDATE donation_contact SET email = $1 WHERE donation_id = $2`,
		`UPDATE receipt SET facts = facts || jsonb_build_object('email', $1::text) WHERE donation_id = $2`,
		`UPDATE statement_person p SET person = person || jsonb_build_object('email', $1::text) FROM statement s, donation g WHERE s.id = p.statement_id AND s.donor_id = g.donor_id AND g.id = $2`,
		`UPDATE stripe_event SET payload = convert_to('{"receipt_email": "to ' || $1 || '"}', 'UTF8'), payload_sha256 = sha256('') WHERE id = 'evt_whole' AND $2 <> ''`,
	} {
		h.Exec(`ALTER TABLE receipt DISABLE TRIGGER USER; ALTER TABLE stripe_event DISABLE TRIGGER USER`)
		if strings.Contains(statement, "$2") {
			h.Exec(statement, strings.ToUpper(canaries[0]), of) // as somebody typed it
		} else {
			h.Exec(statement, canaries[0])
		}
		h.Exec(`ALTER TABLE receipt ENABLE TRIGGER USER; ALTER TABLE stripe_event ENABLE TRIGGER USER`)
	}
	h.Lines(deliverElsewhere, of, strings.ToUpper(canaries[0]), "0")
	// All are older than the erasure.
	h.Exec(`UPDATE erasure_done SET at = at + interval '1 hour'; UPDATE erasure SET done_at = done_at + interval '1 hour', first_done_at = first_done_at + interval '1 hour'; UPDATE erasure_donor SET erased_at = erased_at + interval '1 hour'`)
	places := map[string]bool{}
	for _, subject := range e.tracesAndRows() {
		places[strings.Fields(subject)[0]] = true
	}
	for _, place := range h.Lines(`SELECT DISTINCT place FROM stored_address`) {
		require.True(t, places[place], "%s is not tried", place)
	}
	require.Len(t, places, 10, "as many as the view names")
	require.NoError(t, h.OwnersPrivacy().Erase(t.Context(), e.id))
	require.Empty(t, e.tracesAndRows())
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries[:1]))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donation_contact WHERE donation_id = $1 AND first_name <> ''`, of))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt WHERE donation_id = $1 AND facts ->> 'first_name' <> ''`, of))
}

// TestServerMarksNobodyErased: the server's role may write the address of an erased donor into every row. This
// erases nobody: receipts of new donations have the name, the nightly check reports the rows, and the owner corrects
// them.
func TestServerMarksNobodyErased(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	_, err := h.DB.Server.Exec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid'`)
	require.NoError(t, err)
	d := h.Gift(uuid.MustParse(h.Lines(`SELECT id::text FROM donation WHERE status = 'settled' ORDER BY id LIMIT 1`)[0]))
	given := h.Lines(`SELECT DISTINCT 'donor ' || donor_id FROM donation WHERE status = 'settled' ORDER BY 1`)
	require.Equal(t, given, h.Lines(`SELECT subject FROM check_erased_person ORDER BY 1`))
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
	require.NoError(t, err)
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := h.Settler.Receipts.ReplaceTx(t.Context(), tx, []receipt.Replacement{{Of: latest[d.ID].ID, Facts: latest[d.ID].Facts,
			Change: receipt.Change{Reason: receipt.Corrected, On: "2026-01-01", By: "staff"}}}, time.Now())
		return err
	}))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt WHERE replaces IS NOT NULL AND facts ->> 'email' <> '' AND facts ->> 'first_name' <> ''`))
	h.Exec(`UPDATE donor SET email = 'found-' || id || '@example.org', first_name = 'Ana'`)
	require.Zero(t, h.Count(`SELECT count(*) FROM donor WHERE first_name <> 'Ana' OR email LIKE '%@invalid'`))
	require.Empty(t, h.Lines(`SELECT subject FROM check_erased_person`))
}

// TestWhoBeginsElsewhereDuringAnErasure: a form for another legal entity is stored while the erasure waits for it. The
// new donor is erased too, though nobody named it. A form whose server read the clock before, and which comes after the
// erasure, is a new person's.
func TestWhoBeginsElsewhereDuringAnErasure(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	request, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	elsewhere := uuid.MustParse(h.Lines(`SELECT id::text FROM legal_entity WHERE slug = 'aina'`)[0])
	began := time.Now()
	add := func(tx *sqlx.Tx) (uuid.UUID, error) {
		return donor.FindOrAddTx(t.Context(), tx, donor.Donor{ID: program.NewID(), EntityID: elsewhere, Email: canaries[0], Language: "en", CreatedAt: began})
	}
	form, err := h.DB.Server.Beginx()
	require.NoError(t, err)
	found, err := add(form)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- h.OwnersPrivacy().Erase(t.Context(), request.ID) }()
	waitForLocks(t, h, 1)
	require.NoError(t, form.Commit())
	require.NoError(t, <-ended)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donor WHERE id = $1 AND email LIKE 'forgotten-%'`, found))

	var returned uuid.UUID
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		returned, err = add(tx)
		return err
	}))
	require.NotEqual(t, found, returned)
	e := &erasing{h, t, request.ID, nil}
	require.Empty(t, e.tracesAndRows())
	require.NoError(t, h.OwnersPrivacy().Erase(t.Context(), request.ID))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donor WHERE id = $1 AND email = $2`, returned, canaries[0]))
}

// TestErasureWaitsForLinksBeforeDonors: staff who send a receipt elsewhere end the donor's links, and then order an
// email, which waits for the donor. An erasure between these two steps locks the links before the donor, so there is no
// deadlock.
func TestErasureWaitsForLinksBeforeDonors(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	w := erasureRequest(t, h)
	request, err := h.Privacy.Request(t.Context(), w)
	require.NoError(t, err)
	h.Exec(`INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, created_at, begun_at, ended_at)
		SELECT id, entity_id, organisation_id, donor_id, public_ref, 'cancelled', 'monthly', amount, 0, currency, language, now(), now(), now()
		  FROM donation WHERE donor_id = $1 AND status = 'settled' ORDER BY id LIMIT 1`, w.Donors[0])
	h.Exec(`INSERT INTO plan_link (id, plan_id, donor_id, token_hash, code_mac) SELECT id, id, donor_id, sha256('a'), sha256('b') FROM plan`)
	staff, err := h.DB.Server.Beginx()
	require.NoError(t, err)
	require.NoError(t, planlink.EndOfDonorsTx(t.Context(), staff, w.Donors))
	ended := make(chan error, 1)
	go func() { ended <- h.OwnersPrivacy().Erase(t.Context(), request.ID) }()
	waitForLocks(t, h, 1)
	_, err = staff.Exec(`INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at)
		SELECT gen_random_uuid(), l.id, $1, 'address', 'x', now() FROM letter l JOIN receipt r ON r.id = l.subject_id JOIN donation g ON g.id = r.donation_id
		 WHERE g.donor_id = $2 LIMIT 1`, canaries[0], w.Donors[0])
	require.NoError(t, err)
	require.NoError(t, staff.Commit())
	require.NoError(t, <-ended)
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
}

// TestOneErasureStopsNobodyElse: a refund of somebody who is being erased waits for the erasure without a receipt
// number. Everybody else's gifts settle meanwhile.
func TestOneErasureStopsNobodyElse(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	ids := mustIDs(t, h, h.Gift(uuid.MustParse(h.Lines(`SELECT g.id::text FROM donation g JOIN donor d ON d.id = g.donor_id WHERE d.email = $1 AND g.status = 'settled'`, canaries[0])[0])))
	issued, err := receipt.ByDonations(t.Context(), h.DB.Server, ids)
	require.NoError(t, err)
	slices.SortFunc(issued, func(a, b receipt.Receipt) int { return a.Number - b.Number })
	e := beginErasing(t, h)
	ended := make(chan error, 1)
	go func() {
		ended <- pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			_, err := h.Settler.Receipts.ReplaceTx(t.Context(), tx, []receipt.Replacement{{Of: issued[0].ID, Facts: issued[0].Facts,
				Change: receipt.Change{Reason: receipt.Corrected, On: "2026-01-01", By: "staff"}}}, time.Now())
			return err
		})
	}()
	waitForLocks(t, h, 1)
	other := h.SettledGift(program.ValidForm())
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt WHERE donation_id = $1`, other.ID))
	require.Len(t, ended, 0, "it waits")
	require.NoError(t, e.tx.Commit())
	require.NoError(t, <-ended)
	require.Empty(t, e.tracesAndRows())
}
