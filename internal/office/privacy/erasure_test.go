package privacy_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/note"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/keyring"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// canaries are texts that only the rows about one person contain.
var canaries = []string{"canary@example.org", "Canaria", "Vogelsang", "5550123", "Canary Lane", "a note of the canary", "Nana Canary", "card-canary@example.org", "Canary card"}

func canaryForm() donation.Form {
	f := program.ValidForm()
	f.Contact = donation.Contact{
		Contact: contact.Contact{FirstName: canaries[1], LastName: canaries[2], Email: canaries[0], Details: contact.Details{
			Phone: canaries[3], AddressLine1: canaries[4], City: "Boston", Region: "MA", PostalCode: "02111", Country: "US",
		}},
		Note: canaries[5],
	}
	f.Dedication = dedication.Dedication{Kind: dedication.Memory, Name: canaries[6], CardName: "Béa", CardEmail: canaries[7], CardMessage: canaries[8]}
	return f
}

func erasureRequest(t *testing.T, h *program.Program) privacy.ErasureRequest {
	t.Helper()
	donors, err := donor.ByEmails(t.Context(), h.DB.Server, canaries[:1])
	require.NoError(t, err)
	require.NotEmpty(t, donors)
	return privacy.ErasureRequest{Donors: donor.IDs(donors), Addresses: canaries[:1], Recipient: canaries[0], Language: "en", RequestedBy: "donor", Delay: privacy.DefaultDelay}
}

// newProgramWithDonor returns a program in which the person of the canaries gave twice, got every kind of email, and
// signed in. Another person gave too. One of Stripe's events is stored as the previous release stores them.
func newProgramWithDonor(t *testing.T) *program.Program {
	t.Helper()
	h := program.New(t, program.Options{})
	d := h.SettledGift(canaryForm())
	h.SettledGift(program.ValidForm())
	h.DeliverNew()
	h.DrainAll()
	h.Exec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256, state, done_at)
		SELECT entity_id, 'evt_whole', type, api_version, created_at, $1, payload_sha256, 'done', now() FROM stripe_event WHERE type = 'charge.succeeded' ORDER BY received_at LIMIT 1`,
		h.EventOf(d, "charge.succeeded").Body)
	started := h.StartedGift(canaryForm())
	h.Exec(`UPDATE donation SET status = 'expired' WHERE id = $1`, started.ID)
	e, err := h.CurrentCatalog().EntityByID(d.EntityID)
	require.NoError(t, err)
	_, err = h.Statements.Issue(t.Context(), e, time.Now().In(e.Location()).Year(), nil)
	require.NoError(t, err)
	h.Exec(`INSERT INTO mailbox VALUES ($1, gen_random_uuid(), now() - interval '1 day')`, canaries[0])
	h.Exec(`INSERT INTO mailbox_step (email, kind, after) SELECT email, 'proved', person_id FROM mailbox`)
	h.Exec(`INSERT INTO sign_in (id, email, language, browser_hash) VALUES (gen_random_uuid(), $1, 'en', sha256('x'))`, canaries[0])
	h.Exec(`INSERT INTO session (id, person_id, email, sign_in_id, token_hash) SELECT gen_random_uuid(), person_id, email, gen_random_uuid(), sha256('y') FROM mailbox`)
	all, err := receipt.ByDonations(t.Context(), h.DB.Server, mustIDs(t, h, d))
	require.NoError(t, err)
	require.NoError(t, h.Receipts.Mail(t.Context(), all[0].ID))
	require.NoError(t, mail.TributeCards{Mailer: h.Receipts.Mailer, Catalog: h.Catalog}.Mail(t.Context(), d.ID))
	addNotes(t, h, d)
	return h
}

// addNotes has staff write the person's words into notes on the person, a donation, and a task about it.
func addNotes(t *testing.T, h *program.Program, d donation.Donation) {
	t.Helper()
	h.Exec(`INSERT INTO finance_task (id, entity_id, kind, subject, opened_at) SELECT gen_random_uuid(), entity_id, 'x', charge_id, now() FROM donation WHERE id = $1`, d.ID)
	staff := office.Add(t, h.DB.Owner, "noting", office.Role{Role: "finance", Entity: "tsne"})
	for kind, id := range map[note.Kind]uuid.UUID{
		note.Gift: d.ID, note.Donor: d.DonorID, note.Task: uuid.MustParse(h.Lines(`SELECT id::text FROM finance_task WHERE kind = 'x'`)[0]),
	} {
		require.NoError(t, staff.InTx(t, h.DB.Server, func(tx *sqlx.Tx) error {
			return note.AddTx(t.Context(), tx, note.New{ID: uuid.New(), EntityID: d.EntityID, Object: note.Object{Kind: kind, ID: id}, Text: strings.Join(canaries, " ")})
		}))
	}
}

func mustIDs(t *testing.T, h *program.Program, d donation.Donation) []uuid.UUID {
	t.Helper()
	ids, err := donation.IDsByDonors(t.Context(), h.DB.Server, []uuid.UUID{d.DonorID})
	require.NoError(t, err)
	return ids
}

// retainedRows returns what an erasure must not change.
func retainedRows(h *program.Program) []string {
	return h.Lines(`SELECT format('%s-%s %s %s %s', r.year, r.number, r.facts->'amount'->>'minor', r.facts->>'charged_on', r.facts->'lines') FROM receipt r
		UNION ALL SELECT format('%s %s %s %s', id, amount, status, charged_at) FROM donation
		UNION ALL SELECT format('%s %s %s', fund_id, account_code, sum(amount)) FROM posting GROUP BY fund_id, account_code
		UNION ALL SELECT encode(hash, 'hex') FROM ledger_seal UNION ALL SELECT facts::text FROM statement ORDER BY 1`)
}

func requireValidBooks(t *testing.T, h *program.Program) {
	t.Helper()
	report, err := ledger.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), "%v", report.Findings)
	require.NotEmpty(t, report.Chains)
}

// TestErasureRemovesEveryWord: after an erasure no column of any table contains a word about the person, the books
// verify, the receipt is found by its number, and only the database owner can open its sealed copy.
func TestErasureRemovesEveryWord(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	_, err := ledger.Seal(t.Context(), h.DB.Server)
	require.NoError(t, err)
	before := retainedRows(h)
	known := testkit.ColumnsContaining(t, h.DB.Owner, canaries)
	for _, column := range []string{"donor.email", "donation_contact.note", "donation_dedication.card_email", "receipt.facts", "letter_delivery.recipient", "letter.difference",
		"stripe_event.payload", "statement_person.person", "mailbox.email", "mailbox_step.email", "sign_in.email", "session.email", "staff_note.text"} {
		require.Contains(t, known, column, "the scan finds it")
	}
	personal := append(personalColumns(t), "stripe_event.payload") // as the previous release stores it
	for _, column := range known {
		require.Contains(t, personal, column, "testdata/columns.txt says that it never names a person")
	}
	// An event about somebody whose address differs where a regular expression would match any character.
	h.Exec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256, state, done_at)
		SELECT entity_id, 'evt_near', type, api_version, created_at, $1, payload_sha256, 'done', now() FROM stripe_event WHERE id = 'evt_whole'`,
		[]byte(`{"receipt_email": "`+strings.ReplaceAll(canaries[0], ".", "-")+`"}`))
	require.Equal(t, []string{"evt_whole"}, h.Lines(`SELECT id FROM stripe_event WHERE encode(payload, 'escape') LIKE '%' || $1 || '%'`, canaries[0]), "of the others the person was never stored")

	w := erasureRequest(t, h)
	e, err := h.Privacy.Request(t.Context(), w)
	require.NoError(t, err)
	again, err := h.Privacy.Request(t.Context(), w)
	require.NoError(t, err)
	require.Equal(t, e.ID, again.ID, "a second request returns the first one")
	emails := mail.Erasures{Mailer: h.Receipts.Mailer, Privacy: h.Privacy, Catalog: h.Catalog}
	require.NoError(t, emails.Mail(t.Context(), e.ID))
	n, err := h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "it is not due yet")
	h.Privacy.Now = func() time.Time { return time.Now().Add(privacy.DefaultDelay + time.Minute) }
	n, err = h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "not before its day by the database's clock either")
	h.AgeErasures()
	n, err = h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, emails.MailCompleted(t.Context(), e.ID))
	require.NoError(t, emails.MailCompleted(t.Context(), e.ID), "the email is sent once")

	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	require.Equal(t, 3, h.Count(`SELECT count(*) FROM staff_note WHERE text = ''`))
	require.Equal(t, before, retainedRows(h))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM stripe_event WHERE id = 'evt_near' AND payload IS NOT NULL`))
	requireValidBooks(t, h)
	var messageIDs []string
	for _, m := range h.Mail.Messages() {
		messageIDs = append(messageIDs, m.MessageID)
	}
	require.Contains(t, messageIDs, "erasure_asked."+e.ID.String()+"@tsne.example")
	require.Contains(t, messageIDs, "erasure_done."+e.ID.String()+"@tsne.example")
	for _, word := range canaries {
		assert.NotContains(t, h.Log.String(), word)
	}

	number := h.Lines(`SELECT 'TSNE-' || year || '-' || lpad(number::text, 6, '0') FROM receipt r JOIN receipt_kept h ON h.receipt_id = r.id`)[0]
	r, err := receipt.ByNumber(t.Context(), h.DB.Server, number)
	require.NoError(t, err)
	require.Equal(t, "20.00 USD", r.Facts.Amount.String())
	require.NotEmpty(t, r.Facts.ChargedOn)
	_, err = h.Privacy.OpenSealedReceipt(t.Context(), number, "auditor", "IRS")
	require.Error(t, err, "the server's role may not read it")
	owner := h.OwnersPrivacy()
	facts, err := owner.OpenSealedReceipt(t.Context(), number, "auditor", "IRS")
	require.NoError(t, err)
	require.Equal(t, canaries[0], facts.Email)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt_hold_reading`))
	owner.Keys = keyring.New([]byte("another secret, of 32 bytes also"))
	_, err = owner.OpenSealedReceipt(t.Context(), number, "thief", "none")
	require.Error(t, err)

	h.Privacy.Now = func() time.Time { return time.Now().AddDate(8, 0, 0) }
	_, err = h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.NotZero(t, h.Count(`SELECT count(*) FROM receipt_kept`), "the database's clock decides")
	h.Exec(`UPDATE receipt_kept SET held_until = current_date`)
	_, err = h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, h.Count(`SELECT count(*) FROM receipt_kept`), "after seven years it goes")
}

// TestListIsAppliedToARestoredDatabase: the list erases again what a restored database contains, and names no person.
func TestListIsAppliedToARestoredDatabase(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	w := erasureRequest(t, h)
	w.Delay = 0
	e := privacy.ListEntry{ID: program.NewID(), RequestedAt: time.Now(), RequestedBy: "donor", DoneAt: time.Now(), Donors: w.Donors}
	e.Addresses = h.Privacy.Hashes(w.Addresses)
	list := fmt.Sprintf(`{"id":%q,"asked_at":"2026-01-01T00:00:00Z","asked_by":"donor","done_at":%q,"donors":[%q],"addresses":[%q]}`,
		e.ID, time.Now().Format(time.RFC3339Nano), w.Donors[0], base64.StdEncoding.EncodeToString(e.Addresses[0]))
	for range 2 {
		read, err := privacy.ReadList(strings.NewReader(list))
		require.NoError(t, err)
		applied, err := h.OwnersPrivacy().Apply(t.Context(), read)
		require.NoError(t, err)
		require.Equal(t, privacy.ApplyResult{Erased: 1}, applied)
		require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	}
	file := filepath.Join(t.TempDir(), "erasures")
	for range 2 {
		_, err := h.Privacy.SyncFile(t.Context(), file)
		require.NoError(t, err)
	}
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(written), w.Donors[0].String())
	require.NotContains(t, string(written), "@")
	require.Equal(t, 1, bytes.Count(written, []byte("\n")))
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'erasure_farewell'`))
}

// TestErasureWaitsForActivePlansAndPendingGifts: an active plan or a pending gift is reported, a request can be
// withdrawn, and the server's role cannot change what only an erasure may change.
func TestErasureWaitsForActivePlansAndPendingGifts(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(canaryForm())
	w := erasureRequest(t, h)
	h.Exec(`INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, created_at, begun_at)
		SELECT id, entity_id, organisation_id, donor_id, public_ref, 'active', 'monthly', amount, 0, currency, language, now(), now() FROM donation WHERE id = $1`, d.ID)
	_, err := h.Privacy.Request(t.Context(), w)
	require.True(t, fault.Is(err, fault.Conflict))
	require.True(t, privacy.IsActivePlan(err))
	h.Exec(`UPDATE plan SET status = 'cancelled', ended_at = now()`)
	coming := h.StartedGift(canaryForm())
	_, err = h.Privacy.Request(t.Context(), w)
	require.True(t, privacy.IsPendingGift(err))
	h.Exec(`UPDATE donation SET status = 'expired' WHERE id = $1`, coming.ID)
	_, err = h.Privacy.Request(t.Context(), w)
	require.NoError(t, err)
	require.NoError(t, h.Privacy.Withdraw(t.Context(), w.Donors))
	waiting, err := privacy.Pending(t.Context(), h.DB.Server, w.Donors)
	require.NoError(t, err)
	require.Nil(t, waiting)
	h.Privacy.Now = func() time.Time { return time.Now().Add(99 * time.Hour) }
	n, err := h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	require.NotEmpty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	for _, attack := range []string{
		`UPDATE receipt SET facts = personless(facts)`, `UPDATE letter SET message = ''`, `UPDATE letter SET difference = NULL`, `SELECT erase_people(gen_random_uuid(), '{}')`,
		`SELECT set_config('konbit.erasing', 'yes', false); UPDATE receipt SET facts = personless(facts)`, `SELECT sealed FROM receipt_hold`,
	} {
		_, err := h.DB.Server.Exec(attack)
		assert.Error(t, err, attack)
	}
	for _, attack := range []string{`UPDATE receipt SET number = 99`, `UPDATE receipt SET facts = '{}'`, `DELETE FROM receipt`, `UPDATE letter SET message = 'x'`} {
		tx := h.DB.Owner.MustBegin()
		tx.MustExec(`SET LOCAL konbit.erasing = 'yes'`)
		_, err := tx.Exec(attack)
		if attack[len(attack)-3:] != "'x'" {
			assert.Error(t, err, attack)
		}
		require.NoError(t, tx.Rollback())
	}
}
