package staff_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/workshop/testkit/authenticator"
)

// TestPasskey: a person sets one up by the link of an invitation, signs in by it, and proves an act by it. The answer is
// stored with the act, and moves nothing but that act (STAFF 3, 4).
func TestPasskey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.add("ana@example.org", staff.Finance, f.whole()).withPasskey()
	require.True(t, f.isOpen(p.cookie))

	prompt, browser, err := f.PromptSignIn(t.Context(), home)
	require.NoError(t, err)
	answer := p.passkey.Sign(prompt.Options, prompt.Nonce)
	_, _, err = f.SignInByPasskey(t.Context(), answer, "another browser", home)
	require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	_, p.cookie, err = f.SignInByPasskey(t.Context(), answer, browser, home)
	require.NoError(t, err)
	require.True(t, f.isOpen(p.cookie))
	_, _, err = f.SignInByPasskey(t.Context(), answer, browser, home)
	require.True(t, fault.Is(err, fault.Invalid), "an answer is used once")

	const act = "refund 12.50"
	ask := func() staff.Prompt {
		prompt, ok, err := f.Prompt(t.Context(), p.session(), act)
		require.NoError(t, err)
		require.True(t, ok)
		return prompt
	}
	asked := ask()
	answer = p.passkey.Sign(asked.Options, asked.Nonce)
	require.Error(t, f.ProveByPasskey(t.Context(), p.session(), answer, "refund 99.00"), "of another act")
	require.NoError(t, f.ProveByPasskey(t.Context(), p.session(), answer, act))
	require.Error(t, f.ProveByPasskey(t.Context(), p.session(), answer, act), "once")

	var stored struct {
		Act       []byte `db:"act"`
		Kind      string `db:"kind"`
		Assertion []byte `db:"assertion"`
		Money     bool   `db:"money"`
	}
	require.NoError(t, staff.InTx(t.Context(), f.DB, p.session(), func(tx *sqlx.Tx) error {
		return tx.Get(&stored, `SELECT act, kind, assertion, staff_money_factor_is_fresh($1) AS money FROM staff_factor()`, f.entity)
	}))
	about := sha256.Sum256([]byte(act))
	assert.Equal(t, about[:], stored.Act)
	assert.Equal(t, "passkey", stored.Kind)
	assert.True(t, stored.Money)
	var kept struct {
		Nonce      string
		Credential struct{ Response map[string]string }
	}
	require.NoError(t, json.Unmarshal(stored.Assertion, &kept))
	assert.Equal(t, asked.Nonce, kept.Nonce)
	assert.NotEmpty(t, kept.Credential.Response["signature"])

	// The server does not replace the public key by the way: an answer changes the counter and the flags alone.
	var key, forged string
	require.NoError(t, f.db.Owner.Get(&key, `SELECT credential ->> 'publicKey' FROM staff_passkey`))
	require.NotEmpty(t, key)
	require.NoError(t, staff.InTx(t.Context(), f.DB, p.session(), func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`INSERT INTO staff_challenge (id, hash, act, session_id) VALUES (gen_random_uuid(), sha256('mine'), sha256('my act'), $1)`, p.session().ID)
		require.NoError(t, err)
		var done bool
		require.NoError(t, tx.Get(&done, `SELECT use_staff_passkey(sha256('mine'), sha256('my act'), NULL, p.id, 1000,
			p.credential || '{"publicKey": "Zm9yZ2Vk", "id": "eA", "authenticator": {"signCount": 1000}}', '{}') FROM staff_passkey p`))
		require.True(t, done)
		return nil
	}))
	require.NoError(t, f.db.Owner.Get(&forged, `SELECT credential ->> 'publicKey' FROM staff_passkey`))
	require.Equal(t, key, forged)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM staff_passkey WHERE credential -> 'authenticator' ->> 'signCount' = '1000' AND credential ->> 'id' <> 'eA'`))

	// A code is no factor for money, where the entity wants a passkey.
	p.withCode()
	right, err := f.ProveByCode(t.Context(), p.session(), p.code())
	require.NoError(t, err)
	require.True(t, right)
	money := func() (is bool) {
		require.NoError(t, staff.InTx(t.Context(), f.DB, p.session(), func(tx *sqlx.Tx) error { return tx.Get(&is, `SELECT staff_money_factor_is_fresh($1)`, f.entity) }))
		return is
	}
	assert.False(t, money())
	f.exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	assert.True(t, money())
	p.stale()
	assert.False(t, money())
}

// TestWrongAnswers: an answer for another site, of another type, without the person's verification, too late, or of another
// session is refused; so is one whose counter did not grow (STAFF 3).
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.add("ana@example.org", staff.Finance, f.whole()).withPasskey()
	q := f.add("bea@example.org", staff.Finance, f.whole()).withPasskey()
	for name, do := range map[string]func(k authenticator.Passkey, prompt staff.Prompt) string{
		"another origin": func(k authenticator.Passkey, prompt staff.Prompt) string {
			k.Origin = "https://evil.example"
			return k.Sign(prompt.Options, prompt.Nonce)
		},
		"another type": func(k authenticator.Passkey, prompt staff.Prompt) string {
			k.Type = "webauthn.create"
			return k.Sign(prompt.Options, prompt.Nonce)
		},
		"not verified": func(k authenticator.Passkey, prompt staff.Prompt) string {
			k.Unverified = true
			return k.Sign(prompt.Options, prompt.Nonce)
		},
		"another host": func(k authenticator.Passkey, prompt staff.Prompt) string {
			var o map[string]any
			require.NoError(t, json.Unmarshal([]byte(prompt.Options), &o))
			o["rpId"] = "evil.example"
			text, _ := json.Marshal(o)
			return k.Sign(string(text), prompt.Nonce)
		},
		"late": func(k authenticator.Passkey, prompt staff.Prompt) string {
			f.exec(`UPDATE staff_challenge SET expires_at = now()`)
			return k.Sign(prompt.Options, prompt.Nonce)
		},
		"counter": func(k authenticator.Passkey, prompt staff.Prompt) string {
			k.Counter = 1
			f.exec(`UPDATE staff_passkey SET sign_count = 9, credential = jsonb_set(credential, '{authenticator,signCount}', '9')`)
			return k.Sign(prompt.Options, prompt.Nonce)
		},
		"another nonce": func(k authenticator.Passkey, prompt staff.Prompt) string {
			return k.Sign(prompt.Options, base64.RawURLEncoding.EncodeToString(make([]byte, 32)))
		},
		"another passkey": func(_ authenticator.Passkey, prompt staff.Prompt) string {
			return authenticator.New(site).Sign(prompt.Options, prompt.Nonce)
		},
		"another person": func(_ authenticator.Passkey, prompt staff.Prompt) string {
			return q.passkey.Sign(prompt.Options, prompt.Nonce)
		},
		"nothing": func(authenticator.Passkey, staff.Prompt) string { return "" },
	} {
		prompt, ok, err := f.Prompt(t.Context(), p.session(), "act")
		require.NoError(t, err)
		require.True(t, ok)
		err = f.ProveByPasskey(t.Context(), p.session(), do(*p.passkey, prompt), "act")
		assert.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
		if name == "counter" {
			f.exec(`UPDATE staff_passkey SET sign_count = 1, credential = jsonb_set(credential, '{authenticator,signCount}', '1')`)
		}
	}
	prompt, _, err := f.Prompt(t.Context(), p.session(), "act")
	require.NoError(t, err)
	assert.Error(t, f.ProveByPasskey(t.Context(), q.session(), q.passkey.Sign(prompt.Options, prompt.Nonce), "act"), "of another session")
	prompt, _, err = f.Prompt(t.Context(), p.session(), "act")
	require.NoError(t, err)
	require.NoError(t, f.ProveByPasskey(t.Context(), p.session(), p.passkey.Sign(prompt.Options, prompt.Nonce), "act"), "and a right one passes")
}
