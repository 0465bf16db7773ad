package privacy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/keyring"
	"konbit/internal/workshop/testkit/program"
)

// sealsBy returns how many sealed values each key made, by kind: "the kind: the number" for one key.
func sealsBy(t *testing.T, h *program.Program, keys keyring.Ring) (found []string) {
	t.Helper()
	all, err := privacy.CountSeals(t.Context(), h.DB.Server)
	require.NoError(t, err)
	for _, s := range all {
		require.Contains(t, []string{"", keys.Fingerprints()[0].ID()}, s.KeyID, "%+v", s)
		if s.KeyID != "" {
			found = append(found, fmt.Sprintf("%s: %d", s.What, s.N))
		}
	}
	return found
}

// TestResealing replaces the key: every kind of sealed value is sealed again, opens with the new key alone, and no more with
// the old one. An erasure that was requested before the change finds its addresses.
func TestResealing(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	first, second := h.Privacy.Keys, keyring.New([]byte("the key that replaces the first"), []byte("canary-secret-of-32-bytes-length"))
	alone := keyring.New([]byte("the key that replaces the first"))
	require.Equal(t, first.Fingerprints()[0], second.Fingerprints()[1], "the program's own key")
	e, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	h.Exec(`INSERT INTO receipt_hold (receipt_id, erasure_id, sealed, reason, held_until)
		SELECT r.id, $1, '\x00', 'garbage of an intruder', current_date + 4000 FROM receipt r ORDER BY id LIMIT 1`, e.ID)
	require.Equal(t, []string{"addresses for the emails of erasures: 1", "one-time keys: 20"}, sealsBy(t, h, first))

	h.Privacy.Keys = second
	h.AgeErasures()
	n, err := privacy.CountPendingSince(t.Context(), h.DB.Server, time.Now())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	h.Privacy.Now = func() time.Time { return time.Now().Add(privacy.DefaultDelay + time.Minute) }
	n, err = h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n, "its addresses are hashed with the first key")
	require.Zero(t, h.Count(`SELECT count(*) FROM mailbox`))
	n, err = privacy.CountPendingSince(t.Context(), h.DB.Server, time.Now())
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = privacy.CountRecordedBefore(t.Context(), h.DB.Server, time.Now())
	require.NoError(t, err)
	require.Equal(t, 1, n, "the list has its address by the first key")
	n, err = privacy.CountRecordedBefore(t.Context(), h.DB.Server, time.Now().Add(-100*24*time.Hour))
	require.NoError(t, err)
	require.Zero(t, n)
	h.Exec(`UPDATE receipt_pad SET sealed = substr(sealed, 9) WHERE id % 2 = 0`) // as a release before keys had ids sealed them

	owner := h.OwnersPrivacy()
	_, err = h.Privacy.Reseal(t.Context())
	require.Error(t, err, "the server's role may not")
	before := h.Lines(`SELECT encode(masked, 'hex') FROM receipt_kept ORDER BY 1`)
	did, err := owner.Reseal(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, did.Unopened, "the garbage")
	require.Equal(t, h.Count(`SELECT count(*) FROM receipt_pad`)+h.Count(`SELECT count(*) FROM receipt_kept`)+1, did.Sealed)
	require.Equal(t, before, h.Lines(`SELECT encode(masked, 'hex') FROM receipt_kept ORDER BY 1`))
	again, err := owner.Reseal(t.Context())
	require.NoError(t, err)
	require.Equal(t, privacy.Resealed{Unopened: 1}, again)
	require.Len(t, sealsBy(t, h, second), 3)

	number := h.Lines(`SELECT 'TSNE-' || year || '-' || lpad(number::text, 6, '0') FROM receipt r JOIN receipt_kept h ON h.receipt_id = r.id`)[0]
	owner.Keys = first
	_, err = owner.OpenSealedReceipt(t.Context(), number, "auditor", "IRS")
	require.ErrorIs(t, err, keyring.ErrSealed)
	owner.Keys, h.Privacy.Keys = alone, alone
	facts, err := owner.OpenSealedReceipt(t.Context(), number, "auditor", "IRS")
	require.NoError(t, err)
	require.Equal(t, canaries[0], facts.Email)
	require.NoError(t, mail.Erasures{Mailer: h.Receipts.Mailer, Privacy: h.Privacy, Catalog: h.Catalog}.MailCompleted(t.Context(), e.ID))
	require.Zero(t, h.Count(`SELECT count(*) FROM erasure WHERE tell IS NOT NULL`), "the last email was sent")
}

// TestPadsOutliveALostKey: one-time keys that a lost key sealed are sealed again, since the owner can read what they
// contain. A receipt of somebody who is erased afterwards stays readable.
func TestPadsOutliveALostKey(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	next := keyring.New([]byte("the key that replaces a lost one"))
	owner := h.OwnersPrivacy()
	owner.Keys, h.Privacy.Keys = next, next
	did, err := owner.Reseal(t.Context())
	require.NoError(t, err)
	require.Equal(t, privacy.Resealed{Sealed: 20}, did)
	require.Equal(t, []string{"one-time keys: 20"}, sealsBy(t, h, next))
	require.Zero(t, h.Count(`SELECT count(*) FROM receipt_kept`))

	_, err = h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	h.AgeErasures()
	h.Privacy.Now = func() time.Time { return time.Now().Add(privacy.DefaultDelay + time.Minute) }
	n, err := h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	kept := h.Lines(`SELECT 'TSNE-' || year || '-' || lpad(number::text, 6, '0') FROM receipt r JOIN receipt_kept h ON h.receipt_id = r.id`)
	require.NotEmpty(t, kept)
	for _, number := range kept {
		facts, err := owner.OpenSealedReceipt(t.Context(), number, "auditor", "IRS")
		require.NoError(t, err)
		require.Contains(t, canaries, facts.Email)
	}
}
