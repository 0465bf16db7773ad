package privacy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/migrations"
)

// storedBefore is SQL that stores an email about the receipt of a donation, and its delivery, as the previous release
// did: the address is in the message too, and the signature covers it.
const storedBefore = `WITH l AS (INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at)
	SELECT gen_random_uuid(), entity_id, $3, id, 'TSNE <gifts@tsne.example>', gen_random_uuid()::text, convert_to($4, 'UTF8'), now() FROM receipt WHERE donation_id = $1 RETURNING id)
	INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at)
	SELECT gen_random_uuid(), id, $2, 'first', 'konbit', now() FROM l RETURNING letter_id::text`

func messageTo(address string) string {
	return "DKIM-Signature: v=1; d=tsne.example; h=From:To;\r\n b=c2lnbmF0dXJl\r\nFrom: TSNE <gifts@tsne.example>\r\nTo: \"Bea\"\r\n <" + address + ">\r\nSubject: x\r\n\r\nDear Bea"
}

// TestEmailsAboutOthersLoseTheAddress: an email about somebody else was sent to the address of a person who is erased:
// stored by this release, or by the one before, which kept the address in the message; written with capitals; sent
// elsewhere before. The first erasure removes the address and leaves the email, which can be sent again.
func TestEmailsAboutOthersLoseTheAddress(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	form := program.ValidForm()
	form.Contact.Email, form.Contact.FirstName = "bea@example.org", "Bea"
	bea := h.SettledGift(form)
	h.Exec(`ALTER TABLE receipt DISABLE TRIGGER USER`)
	h.Exec(`UPDATE receipt SET facts = facts || jsonb_build_object('email', 'Canary@Example.org') WHERE donation_id = $1`, bea.ID) // the office entered it
	h.Exec(`ALTER TABLE receipt ENABLE TRIGGER USER`)
	issued, err := receipt.ByDonations(t.Context(), h.DB.Server, []uuid.UUID{bea.ID})
	require.NoError(t, err)
	require.NoError(t, h.Receipts.Mail(t.Context(), issued[0].ID))
	sent := h.Mail.Messages()
	require.Equal(t, canaries[0], strings.ToLower(sent[len(sent)-1].To))
	parsed, err := sent[len(sent)-1].Email()
	require.NoError(t, err)
	require.Contains(t, strings.ToLower(parsed.Header.Get("To")), "<"+canaries[0]+">")
	require.NotContains(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries[:1]), "letter.difference", "only the delivery has it")
	before := h.Lines(storedBefore, bea.ID, canaries[0], "before", messageTo(canaries[0]))[0]
	h.Exec(`INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at) VALUES (gen_random_uuid(), $1, 'CANARY@example.org', 'address', 'x', now())`, before)

	request, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	require.NoError(t, h.OwnersPrivacy().Erase(t.Context(), request.ID))
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	require.Empty(t, (&erasing{h, t, request.ID, nil}).tracesAndRows())
	require.Equal(t, []string{strings.Replace(messageTo("recipient@konbit.invalid"), "DKIM-Signature: v=1; d=tsne.example; h=From:To;\r\n b=c2lnbmF0dXJl\r\n", "", 1)},
		h.Lines(`SELECT convert_from(message, 'UTF8') FROM letter WHERE id = $1`, before))

	require.NoError(t, mail.Resender{Receipts: h.Receipts, Queue: h.Queue}.Redirect(t.Context(), issued[0], "bea@example.net", "staff"))
	require.Equal(t, []string{"bea@example.net"}, h.Lines(`SELECT DISTINCT ON (d.letter_id) d.recipient FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
		WHERE l.subject_id = $1 AND (l.message <> '' OR l.difference IS NOT NULL) AND d.recipient <> '' ORDER BY d.letter_id, d.ordered_at DESC`, issued[0].ID), "of the whole email")
}

// TestEmailsOfEarlierErasuresLoseTheAddress: the previous release cleared the delivery of an email about somebody else
// and left the address in the message. Migration 00094 removes it, and A17 names such an email.
func TestEmailsOfEarlierErasuresLoseTheAddress(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	of := giftOfAnother(h)
	one := h.Lines(storedBefore, of, "", "before", messageTo("left@example.org"))[0]
	require.Equal(t, []string{"letter " + one}, h.Lines(`SELECT subject FROM check_erased_person`))
	require.NoError(t, migrations.To(t.Context(), h.DB.OwnerURL, 93))
	require.NoError(t, migrations.Up(t.Context(), h.DB.OwnerURL, testkit.ServerRole))
	require.Empty(t, h.Lines(`SELECT subject FROM check_erased_person`))
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, []string{"left@example.org"}))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM letter WHERE id = $1 AND encode(message, 'escape') LIKE '%Dear Bea'`, one))
}

// TestErasureWaitsForDeliveriesOfEvents: staff lock the deliveries of all emails about a receipt and its plan, in the
// order of their ids, and then order an email, which waits for the donor. An erasure that comes in between locks all of
// them before the donor, also if the plan has no link that both would wait for.
func TestErasureWaitsForDeliveriesOfEvents(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	w := erasureRequest(t, h)
	request, err := h.Privacy.Request(t.Context(), w)
	require.NoError(t, err)
	plan := h.Lines(`INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, created_at, begun_at, ended_at)
		SELECT id, entity_id, organisation_id, donor_id, public_ref, 'cancelled', 'monthly', amount, 0, currency, language, now(), now(), now()
		  FROM donation WHERE donor_id = $1 AND status = 'settled' ORDER BY id LIMIT 1 RETURNING id::text`, w.Donors[0])[0]
	h.Exec(`WITH e AS (INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES (gen_random_uuid(), $1, 'x', 'x', '{}', now()) RETURNING id),
		l AS (INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at)
			SELECT gen_random_uuid(), p.entity_id, 'plan', e.id, 'x', 'x', 'x', now() FROM e, plan p WHERE p.id = $1 RETURNING id)
		INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at)
			SELECT '00000000-0000-4000-8000-000000000001', id, $2, 'first', 'x', now() FROM l`, plan, canaries[0])
	staff, err := h.DB.Server.Beginx()
	require.NoError(t, err)
	defer func() { _ = staff.Rollback() }()
	_, err = staff.Exec(`SELECT id FROM letter_delivery WHERE id = '00000000-0000-4000-8000-000000000001' FOR UPDATE`)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- h.OwnersPrivacy().Erase(t.Context(), request.ID) }()
	waitForLocks(t, h, 1)
	_, err = staff.Exec(`SELECT d.id FROM letter_delivery d JOIN letter l ON l.id = d.letter_id JOIN receipt r ON r.id = l.subject_id
		JOIN donation g ON g.id = r.donation_id WHERE g.donor_id = $1 ORDER BY d.id FOR UPDATE OF d`, w.Donors[0])
	require.NoError(t, err)
	_, err = staff.Exec(`INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at)
		SELECT gen_random_uuid(), l.id, $1, 'address', 'x', now() FROM letter l JOIN receipt r ON r.id = l.subject_id JOIN donation g ON g.id = r.donation_id
		 WHERE g.donor_id = $2 LIMIT 1`, canaries[0], w.Donors[0])
	require.NoError(t, err)
	require.NoError(t, staff.Commit())
	require.NoError(t, <-ended)
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
}

// TestErasureDoesNotWaitForNewDeliveries: while an erasure waits for the donor, an email is stored, and staff order it once
// more. They hold its delivery and wait for the donor next, so the erasure does not wait for the delivery: it is tried
// again, and nobody is a deadlock's victim.
func TestErasureDoesNotWaitForNewDeliveries(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	w := erasureRequest(t, h)
	e, err := h.Privacy.Request(t.Context(), w)
	require.NoError(t, err)
	begin := func() *sqlx.Tx {
		tx, err := h.DB.Owner.Beginx()
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback() })
		return tx
	}
	writer, staff := begin(), begin()
	_, err = writer.Exec(`SELECT id FROM donor WHERE id = $1 FOR KEY SHARE`, w.Donors[0])
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- h.OwnersPrivacy().Erase(t.Context(), e.ID) }()
	waitForLocks(t, h, 1)

	const id = "00000000-0000-4000-8000-000000000002"
	h.Exec(`WITH l AS (INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at)
			SELECT gen_random_uuid(), entity_id, 'x', id, 'x', 'x', 'x', now() FROM donation WHERE donor_id = $1 LIMIT 1 RETURNING id)
		INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at) SELECT $2::uuid, id, $3, 'first', 'x', now() FROM l`,
		w.Donors[0], id, canaries[0])
	_, err = staff.Exec(`SELECT id FROM letter_delivery WHERE id = $1 FOR UPDATE`, id)
	require.NoError(t, err)
	require.NoError(t, writer.Commit())
	waitForLocks(t, h, 1)
	_, err = staff.Exec(`INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at)
		SELECT gen_random_uuid(), letter_id, recipient, 'resend', 'x', now() FROM letter_delivery WHERE id = $1`, id)
	require.NoError(t, err)
	require.NoError(t, staff.Commit())
	require.NoError(t, <-ended)
	require.Empty(t, testkit.Deadlocks(t, h.DB))
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
}

// TestErasuresRunOneAfterAnother: an email about one person was sent to the address of another one, and both are erased
// by two servers at the same time. Neither is a deadlock's victim.
func TestErasuresRunOneAfterAnother(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	of := giftOfAnother(h)
	h.Lines(deliverElsewhere, of, canaries[0], "0")
	bea := h.Lines(`WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES (gen_random_uuid(), now(), 'donor', 'en', now()) RETURNING id)
		INSERT INTO erasure_donor (erasure_id, donor_id) SELECT e.id, g.donor_id FROM e, donation g WHERE g.id = $1 RETURNING erasure_id::text`, of)[0]
	ana, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	first, err := h.DB.Owner.Beginx()
	require.NoError(t, err)
	defer func() { _ = first.Rollback() }()
	_, err = first.Exec(`SELECT lock_people($1, '{}')`, bea)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- h.OwnersPrivacy().Erase(t.Context(), ana.ID) }()
	waitForLocks(t, h, 1)
	_, err = first.Exec(`SELECT erase_people($1, '{}')`, bea)
	require.NoError(t, err)
	require.NoError(t, first.Commit())
	require.NoError(t, <-ended)
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
}

// TestErasureScansNothingUnderLocks: what only a scan finds is found before the locks. Under them, no table that grows
// with the gifts is read whole: there is an index for every question.
func TestErasureScansNothingUnderLocks(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	of := giftOfAnother(h)
	h.Lines(deliverElsewhere, of, canaries[0], "0")
	h.Exec(`UPDATE donation_contact SET email = $1 WHERE donation_id = $2`, canaries[0], of)
	e, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	tx, err := h.DB.Owner.Beginx()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	var found string
	require.NoError(t, tx.Get(&found, `SELECT rows_to_clear($1, '{}')`, e.ID))
	for _, place := range []string{"letter_delivery", "receipt", "statement_person", "donation_contact", "stripe_event", "river_job"} {
		require.Contains(t, found, `"`+place+`"`)
	}
	const scans = `SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_xact_user_tables WHERE relname IN ('donor', 'donation', 'donation_contact', 'checkout', 'payment',
		'receipt', 'statement', 'statement_person', 'letter', 'letter_delivery', 'stripe_event', 'river_job', 'plan', 'plan_event', 'plan_request', 'donation_notice')`
	var before, after int
	_, err = tx.Exec(`SET LOCAL enable_seqscan = off`) // these tables have few rows here
	require.NoError(t, err)
	require.NoError(t, tx.Get(&before, scans))
	require.NotZero(t, before, "rows_to_clear scans")
	_, err = tx.Exec(`SELECT lock_people($1, '{}', $2)`, e.ID, found)
	require.NoError(t, err)
	_, err = tx.Exec(`SELECT erase_people($1, '{}', $2)`, e.ID, found)
	require.NoError(t, err)
	require.NoError(t, tx.Get(&after, scans))
	require.Equal(t, before, after)
	require.NoError(t, tx.Commit())
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
}

// TestServersRoleClearsNothingElse: what the server's role gives as found is compared again.
func TestServersRoleClearsNothingElse(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	of := giftOfAnother(h)
	e, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	h.AgeErasures()
	rows := `SELECT concat_ws('|', (SELECT facts ->> 'email' FROM receipt WHERE donation_id = $1), (SELECT email FROM donation_contact WHERE donation_id = $1),
		(SELECT count(*) FROM stripe_event WHERE payload IS NOT NULL AND encode(payload, 'escape') ~ $1::text))`
	before := h.Lines(rows, of)
	_, err = h.DB.Server.Exec(`SELECT erase_people($1, '{}', jsonb_build_object('receipt', (SELECT jsonb_agg(id) FROM receipt), 'donation_contact', (SELECT jsonb_agg(donation_id) FROM donation_contact),
		'statement_person', (SELECT jsonb_agg(statement_id) FROM statement_person), 'letter_delivery', (SELECT jsonb_agg(id) FROM letter_delivery),
		'stripe_event', (SELECT jsonb_agg(entity_id || ' ' || id) FROM stripe_event), 'river_job', (SELECT jsonb_agg(id) FROM river_job)))`, e.ID)
	require.NoError(t, err)
	require.Equal(t, before, h.Lines(rows, of))
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
}

// TestReceiptsLockDonorsInOrder: two receipts of one person lock their donors in the order of the donors' ids, as an
// erasure does, and not in the order of the receipts.
func TestReceiptsLockDonorsInOrder(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	donors := h.Lines(`SELECT DISTINCT g.donor_id::text FROM donation g JOIN receipt r ON r.donation_id = g.id ORDER BY 1`)
	require.Greater(t, len(donors), 1)
	low, high := donors[0], donors[len(donors)-1]
	var asked []receipt.Replacement
	for _, of := range []string{high, low} {
		gift := uuid.MustParse(h.Lines(`SELECT g.id::text FROM donation g JOIN receipt r ON r.donation_id = g.id WHERE g.donor_id = $1 LIMIT 1`, of)[0])
		latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{gift})
		require.NoError(t, err)
		asked = append(asked, receipt.Replacement{Of: latest[gift].ID, Facts: latest[gift].Facts, Change: receipt.Change{Reason: receipt.Corrected, On: "2026-01-01", By: "staff"}})
	}
	erasure, err := h.DB.Owner.Beginx()
	require.NoError(t, err)
	defer func() { _ = erasure.Rollback() }()
	_, err = erasure.Exec(`SELECT id FROM donor WHERE id = $1 FOR UPDATE`, low)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		ended <- pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			_, err := h.Settler.Receipts.ReplaceTx(t.Context(), tx, asked, time.Now())
			return err
		})
	}()
	waitForLocks(t, h, 1)
	_, err = erasure.Exec(`SELECT id FROM donor WHERE id = $1 FOR UPDATE NOWAIT`, high)
	require.NoError(t, err, "it holds nothing while it waits for the first")
	require.NoError(t, erasure.Rollback())
	require.NoError(t, <-ended)
}

// TestContactWaitsForItsGift: the server's role deletes what was typed with a gift while the gift is being settled. The
// delete waits, and is refused.
func TestContactWaitsForItsGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(canaryForm())
	settling, err := h.DB.Owner.Beginx()
	require.NoError(t, err)
	defer func() { _ = settling.Rollback() }()
	_, err = settling.Exec(`UPDATE donation SET status = 'processing' WHERE id = $1`, d.ID)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := h.DB.Server.Exec(`DELETE FROM donation_contact WHERE donation_id = $1`, d.ID)
		ended <- err
	}()
	waitForLocks(t, h, 1)
	require.NoError(t, settling.Commit())
	require.ErrorContains(t, <-ended, "its contact is deleted by an erasure")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donation_contact WHERE donation_id = $1`, d.ID))
}

// TestStatementsOfOverwrittenDonors: the server's role writes the address of an erased donor into every row. A donor
// who was not erased still gets the year's statement.
func TestStatementsOfOverwrittenDonors(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(canaryForm())
	other := h.SettledGift(program.ValidForm())
	request, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	require.NoError(t, h.OwnersPrivacy().Erase(t.Context(), request.ID))
	_, err = h.DB.Server.Exec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid'`)
	require.NoError(t, err)
	entity, err := h.CurrentCatalog().EntityByID(d.EntityID)
	require.NoError(t, err)
	tally, err := h.Statements.Issue(t.Context(), entity, time.Now().In(entity.Location()).Year(), nil)
	require.NoError(t, err)
	require.Equal(t, 1, tally.Issued)
	require.Equal(t, []string{other.DonorID.String()}, h.Lines(`SELECT donor_id::text FROM statement`))
}

// TestTheDayOfTheListIsKept: the server's role applies the list to a restored backup and erases three days later. A
// person who gave or signed in since the day that the list names is a new person.
func TestTheDayOfTheListIsKept(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	w := erasureRequest(t, h)
	entry := privacy.ListEntry{
		ID: program.NewID(), RequestedAt: time.Now().Add(-300 * 24 * time.Hour), RequestedBy: "donor", DoneAt: time.Now().Add(-200 * 24 * time.Hour), Donors: w.Donors,
		Addresses: h.Privacy.Hashes(w.Addresses),
	}
	h.Exec(`UPDATE donor SET recorded_at = now() - interval '400 days'; UPDATE mailbox SET proved_at = now() - interval '400 days'`)
	h.Exec(`UPDATE sign_in SET asked_at = now() - interval '400 days', expires_at = now() - interval '400 days'; UPDATE session SET opened_at = now() - interval '400 days'`)
	applied, err := h.Privacy.Apply(t.Context(), []privacy.ListEntry{entry})
	require.NoError(t, err)
	require.Equal(t, privacy.ApplyResult{Pending: 1}, applied, "the server's role waits")
	elsewhere := h.Lines(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
		SELECT gen_random_uuid(), id, $1, '', '', 'en', now() FROM legal_entity WHERE slug = 'aina' RETURNING id::text`, canaries[0])[0]
	h.Exec(`INSERT INTO sign_in (id, email, language, browser_hash) VALUES (gen_random_uuid(), $1, 'en', sha256('n'))`, canaries[0])
	h.AgeErasures()
	h.Privacy.Now = func() time.Time { return time.Now().Add(privacy.DefaultDelay + time.Minute) }
	n, err := h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Zero(t, h.Count(`SELECT count(*) FROM donor WHERE id = $1 AND email = $2`, w.Donors[0], canaries[0]), "the person of then")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donor WHERE id = $1 AND email = $2`, elsewhere, canaries[0]), "the person of now")
	require.Equal(t, []string{"donor.email", "sign_in.email"}, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	list, err := privacy.ListDone(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.WithinDuration(t, entry.DoneAt, list[0].DoneAt, time.Second)
}
