package staff_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/authenticator"
)

// TestVerifyPasskeysFollowsWhatAllowedThem: a passkey that the server's role planted by an answer that it made up is found, and one
// that rests on the planted one too. Those of a link of the operator, of an older passkey, of an email and of a code are counted.
func TestVerifyPasskeysFollowsWhatAllowedThem(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	verify := func() staff.PasskeyReport {
		r, err := f.VerifyPasskeys(t.Context(), f.db.Owner)
		require.NoError(t, err)
		return r
	}
	ana := f.add("ana@example.org", staff.Finance, f.whole()).withPasskey() // by the operator's link
	prompt, ok, err := f.Prompt(t.Context(), ana.session(), staff.ActFresh)
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, f.ProveByPasskey(t.Context(), ana.session(), ana.passkey.Sign(prompt.Options, prompt.Nonce), staff.ActFresh))
	ana.withPasskey() // by the older one
	require.Equal(t, staff.PasskeyReport{Passkeys: 2, ByOperator: 1, ByPasskey: 1, Findings: []string{}}, verify())

	ben := f.add("ben@example.org", staff.Finance, f.whole()).withCode()
	right, err := f.ProveByCode(t.Context(), ben.session(), ben.code())
	require.NoError(t, err)
	require.True(t, right)
	ben.withPasskey() // by a code
	eva := f.add("eva@example.org", staff.Finance, f.whole())
	f.exec(`UPDATE staff_invitation SET made_by = $1 WHERE staff_id = $2`, ana.id, eva.id)
	eva.withPasskey() // by a link that was emailed
	require.Equal(t, staff.PasskeyReport{Passkeys: 4, ByOperator: 1, ByPasskey: 1, ByEmail: 1, ByCode: 1, Findings: []string{}}, verify())

	// What the server's role can do inside the database: say that a passkey answered, and add a key of its own.
	secret := sha256.Sum256([]byte("of the attacker"))
	plant := func(answer, n string) {
		tx, err := f.DB.Beginx()
		require.NoError(t, err)
		id := uuid.New()
		steps := []struct {
			query string
			args  []any
		}{
			{`SELECT begin_staff_session($1, $2, $3, '', '')`, []any{id, ana.id, secret[:]}},
			{`SELECT set_config('konbit.staff_session', encode($1::bytea, 'hex'), true)`, []any{secret[:]}},
			{`INSERT INTO staff_challenge (id, hash, act, session_id) VALUES (gen_random_uuid(), sha256(convert_to($2, 'UTF8')), sha256('confirm'), $1)`, []any{id, "c" + n}},
			{`SELECT use_staff_passkey(sha256(convert_to($2, 'UTF8')), sha256('confirm'), NULL,
				(SELECT p.id FROM staff_passkey p WHERE staff_id = $1 ORDER BY made_at DESC LIMIT 1), 4000000000, '{}', $3)`, []any{ana.id, "c" + n, answer}},
			{`INSERT INTO staff_challenge (id, hash, act, session_id) VALUES (gen_random_uuid(), sha256(convert_to($2, 'UTF8')), sha256('add a passkey'), $1)`, []any{id, "d" + n}},
			{`SELECT add_staff_passkey(gen_random_uuid(), sha256(convert_to($2, 'UTF8')), sha256('add a passkey'), $1, '{"publicKey": "mine"}', 0, 'mine')`,
				[]any{[]byte("key " + n), "d" + n}},
			{`INSERT INTO audit_entry (act, object_kind, object_id) VALUES ('staff.factor_changed', 'staff', $1)`, []any{ana.id.String()}},
		}
		for _, s := range steps {
			_, err := tx.Exec(s.query, s.args...)
			require.NoError(t, err, s.query)
		}
		require.NoError(t, tx.Commit())
		secret = sha256.Sum256(secret[:])
	}
	plant(`{"made": "up"}`, "1")
	r := verify()
	require.Len(t, r.Findings, 1)
	require.Contains(t, r.Findings[0], "no older passkey of the person allowed it")

	// A true signature of another passkey, and a passkey that nothing allowed.
	f.exec(`UPDATE staff_passkey SET sign_count = 0 WHERE name = 'mine'`)
	stranger := authenticator.New(site)
	plant(authenticatorAnswer(t, stranger, prompt), "2")
	require.Len(t, verify().Findings, 2)
	f.exec(`UPDATE staff_passkey SET authority = NULL WHERE id = (SELECT id FROM staff_passkey ORDER BY made_at LIMIT 1)`)
	r = verify()
	require.Contains(t, r.Findings[0], "nothing says what allowed it")
	require.Len(t, r.Findings, 4, "with the one that rests on it")
}

// authenticatorAnswer returns the answer of a passkey to a prompt as it is stored.
func authenticatorAnswer(t *testing.T, key *authenticator.Passkey, p staff.Prompt) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(key.Sign(p.Options, p.Nonce))
	require.NoError(t, err)
	return string(text)
}
