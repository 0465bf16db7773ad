package donoraccess_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
	"konbit/internal/people/session"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
	"konbit/internal/workshop/testkit"
)

const ana = "ana@example.org"

var home = netip.MustParseAddr("192.0.2.7")

type door struct {
	donoraccess.Service
	*testkit.Database
	t testing.TB
}

func newDoor(t testing.TB) door {
	t.Helper()
	db := testkit.DB(t)
	queue, err := jobs.NewQueue()
	require.NoError(t, err)
	secret := []byte("canary-secret-of-32-bytes-length")
	return door{donoraccess.Service{
		DB: db.Server, Queue: queue, Guard: guard.New(db.Server, secret, guard.Limits{}, time.Now), Secret: secret,
		Limits: donoraccess.Standard(), NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
	}, db, t}
}

func (d door) exec(query string, args ...any) {
	d.t.Helper()
	_, err := d.Owner.Exec(query, args...)
	require.NoError(d.t, err)
}

func (d door) count(query string, args ...any) (n int) {
	d.t.Helper()
	require.NoError(d.t, d.Owner.Get(&n, query, args...))
	return n
}

// dump is all rows of all tables as text.
func (d door) dump() (text string) {
	d.t.Helper()
	var tables []string
	require.NoError(d.t, d.Owner.Select(&tables, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`))
	require.Greater(d.t, len(tables), 20)
	for _, table := range tables {
		var rows string
		require.NoError(d.t, d.Owner.Get(&rows, fmt.Sprintf(`SELECT coalesce(string_agg(x::text, ' '), '') FROM %q x`, table)))
		text += rows
	}
	return text
}

// letter asks for one from an address of its own, and writes it.
func (d door) letter(email, browser string, person uuid.UUID) donoraccess.Credentials {
	d.t.Helper()
	d.exec(`DELETE FROM guard_count`)
	require.NoError(d.t, d.RequestChallenge(d.t.Context(), donoraccess.EmailChallenge{Email: email, From: home, Browser: browser, Language: "en", Person: person}))
	return d.newest()
}

// newest writes the letter asked for last.
func (d door) newest() donoraccess.Credentials {
	d.t.Helper()
	var id uuid.UUID
	require.NoError(d.t, d.Owner.Get(&id, `SELECT id FROM sign_in ORDER BY n DESC LIMIT 1`))
	proof, err := d.IssueCredentials(d.t.Context(), id)
	require.NoError(d.t, err)
	require.NotNil(d.t, proof)
	return *proof
}

func (d door) code(c donoraccess.CodeAttempt) error {
	if !c.From.IsValid() {
		c.From = netip.MustParseAddr("198.51.100.9")
	}
	_, _, err := d.SignInByCode(d.t.Context(), c)
	return err
}

func notIn(t *testing.T, err error, why string) {
	t.Helper()
	assert.True(t, fault.Is(err, fault.NotFound), "%s: %v", why, err)
}

// TestT7: a link or a code is good once, for ten minutes, as the newest, the link only in the browser that asked.
func TestT7LinksAndCodesAreGoodOnce(t *testing.T) {
	t.Parallel()
	d, ctx := newDoor(t), t.Context()
	other := func(code string) string { return fmt.Sprintf("%08d", (int64(code[0]-'0')+1)%10*10_000_000+1) }

	first := d.letter(ana, "mine", uuid.Nil)
	assert.Regexp(t, `^[0-9]{8}$`, first.Code)
	assert.Len(t, first.Token, 43)
	_, _, err := d.SignInByLink(ctx, first.Token, "another")
	notIn(t, err, "another browser")
	_, _, err = d.SignInByLink(ctx, first.Token, "")
	notIn(t, err, "a scanner without the cookie")
	notIn(t, d.code(donoraccess.CodeAttempt{Email: ana, Code: other(first.Code)}), "another code")
	notIn(t, d.code(donoraccess.CodeAttempt{Email: "other@example.org", Code: first.Code}), "another address")

	second := d.letter(ana, "mine", uuid.Nil)
	_, _, err = d.SignInByLink(ctx, first.Token, "mine")
	notIn(t, err, "a newer link was asked for")
	notIn(t, d.code(donoraccess.CodeAttempt{Email: ana, Code: first.Code}), "a newer code was asked for")
	again := d.newest()
	_, _, err = d.SignInByLink(ctx, second.Token, "mine")
	notIn(t, err, "the letter was written once more")
	s, secret, err := d.SignInByLink(ctx, again.Token, "mine")
	require.NoError(t, err)
	assert.Equal(t, ana, s.Email)
	_, _, err = d.SignInByLink(ctx, again.Token, "mine")
	notIn(t, err, "the second use")
	notIn(t, d.code(donoraccess.CodeAttempt{Email: ana, Code: again.Code}), "the code of a link that was used")
	found, err := d.Sessions().Find(ctx, secret)
	require.NoError(t, err)
	assert.Equal(t, s, found)

	late := d.letter(ana, "mine", uuid.Nil)
	d.exec(`UPDATE sign_in SET asked_at = now() - interval '601 seconds', expires_at = now() - interval '1 second' WHERE used_at IS NULL`)
	_, _, err = d.SignInByLink(ctx, late.Token, "mine")
	notIn(t, err, "the eleventh minute")
	notIn(t, d.code(donoraccess.CodeAttempt{Email: ana, Code: late.Code}), "the eleventh minute")
	assert.Equal(t, 1, d.count(`SELECT count(*) FROM session`))

	d.letter(ana, "mine", uuid.Nil)
	proof := d.newest()
	spaced := proof.Code[:4] + " - " + proof.Code[4:]
	require.NoError(t, d.code(donoraccess.CodeAttempt{Email: ana, Code: spaced, Browser: "another"}), "the code, anywhere")
	_, err = d.IssueCredentials(ctx, uuid.New())
	require.NoError(t, err)
	for _, attack := range []string{`UPDATE sign_in SET used_at = NULL WHERE used_at IS NOT NULL`, `UPDATE sign_in SET expires_at = now() + interval '1 day'`} {
		_, err := d.Owner.Exec(attack)
		assert.Error(t, err, attack)
	}
	dump := d.dump()
	assert.Contains(t, dump, ana)
	for _, secret := range []string{again.Token, again.Code, proof.Token, proof.Code, secret} {
		bits, err := base64.RawURLEncoding.DecodeString(secret)
		require.NoError(t, err)
		assert.NotContains(t, dump, secret, "a copy of the database lets nobody in")
		assert.NotContains(t, dump, hex.EncodeToString(bits))
		assert.NotContains(t, dump, hex.EncodeToString([]byte(secret)))
	}
}

func TestT7FiftyAtOnceAreOneSession(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	proof := d.letter(ana, "mine", uuid.Nil)
	var in atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				_, _, err = d.SignInByLink(context.Background(), proof.Token, "mine")
			} else {
				_, _, err = d.SignInByCode(context.Background(), donoraccess.CodeAttempt{Email: ana, Code: proof.Code, Browser: "mine"})
			}
			if err == nil {
				in.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, in.Load())
	assert.Equal(t, 1, d.count(`SELECT count(*) FROM session`))
}

// TestT22: strangers get few letters sent, guess in vain, and keep nobody out.
func TestT22GuessingGetsNobodyIn(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	const guesses, hands = 10_000, 12
	proof := d.letter(ana, "mine", uuid.Nil)
	var in, tried atomic.Int64
	var all sync.WaitGroup
	for hand := range hands {
		all.Go(func() {
			for i := hand; i < guesses; i += hands {
				code := fmt.Sprintf("%08d", i*9973)
				if code == proof.Code {
					continue
				}
				from := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}) // each from a network of its own
				_, _, err := d.SignInByCode(context.Background(), donoraccess.CodeAttempt{Email: ana, Code: code, From: from})
				switch {
				case err == nil:
					in.Add(1)
				case !errors.Is(err, donoraccess.ErrTooMany):
					tried.Add(1)
				}
			}
		})
	}
	all.Wait()
	assert.Zero(t, in.Load())
	assert.LessOrEqual(t, tried.Load(), int64(20), "guesses that were compared at all")
	require.NoError(t, d.code(donoraccess.CodeAttempt{Email: ana, Code: proof.Code, Browser: "mine"}), "whoever asked still gets in by the code")

	proof = d.letter(ana, "mine", uuid.Nil)
	for range 30 {
		_ = d.code(donoraccess.CodeAttempt{Email: ana, Code: "00000000", From: home})
	}
	assert.ErrorIs(t, d.code(donoraccess.CodeAttempt{Email: ana, Code: proof.Code, From: home}), donoraccess.ErrTooMany)
	_, _, err := d.SignInByLink(t.Context(), proof.Token, "mine")
	assert.NoError(t, err, "and by the link")
}

func TestT22Letters(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	ask := func(email string, from netip.Addr) error {
		return d.RequestChallenge(t.Context(), donoraccess.EmailChallenge{Email: email, From: from, Browser: "x", Language: "en"})
	}
	taken := 0
	for i := range 20 {
		email := ana
		if i%2 == 0 {
			email = fmt.Sprintf("ana+%d@example.org", i) // the same mailbox
		}
		if ask(email, netip.AddrFrom4([4]byte{10, 0, byte(i / 2), 1})) == nil {
			taken++
		}
	}
	assert.Equal(t, 5, taken, "letters to one mailbox in an hour")
	taken = 0
	for i := range 40 {
		if ask(fmt.Sprintf("donor-%d@example.org", i), home) == nil {
			taken++
		}
	}
	assert.Equal(t, 20, taken, "letters from one address in an hour")
	away := netip.MustParseAddr("203.0.113.1")
	for range 10 {
		_ = ask("bea@example.org", away)
	}
	assert.NoError(t, ask("bea@example.org", netip.MustParseAddr("203.0.114.1")), "a stranger's network leaves one for the donor")
}

func TestT8SessionsEnd(t *testing.T) {
	t.Parallel()
	d, ctx := newDoor(t), t.Context()
	open := func(email string) (session.Session, string) {
		proof := d.letter(email, "mine", uuid.Nil)
		s, secret, err := d.SignInByLink(ctx, proof.Token, "mine")
		require.NoError(t, err)
		return s, secret
	}
	over := func(secret, why string) {
		t.Helper()
		_, err := d.Sessions().Find(ctx, secret)
		notIn(t, err, why)
	}
	first, one := open(ana)
	_, two := open(ana)
	assert.NotEqual(t, one, two)
	other, three := open("bea@example.org")
	assert.NotEqual(t, first.PersonID, other.PersonID)

	require.NoError(t, d.Sessions().End(ctx, one))
	over(one, "signed out")
	d.exec(`UPDATE session SET seen_at = now() - interval '13 days 23 hours', opened_at = now() - interval '89 days' WHERE ended_at IS NULL`)
	_, err := d.Sessions().Find(ctx, two)
	require.NoError(t, err, "and seen again")
	_, err = d.Sessions().Find(ctx, two)
	require.NoError(t, err)
	assert.Equal(t, 1, d.count(`SELECT count(*) FROM session WHERE seen_at > now() - interval '1 minute' AND ended_at IS NULL`))
	d.exec(`UPDATE session SET seen_at = now() - interval '15 days' WHERE email = $1`, "bea@example.org")
	over(three, "two weeks without a visit")
	d.exec(`UPDATE session SET opened_at = now() - interval '91 days'`)
	over(two, "after ninety days")

	_, four := open(ana)
	_, five := open(ana)
	_, six := open("bea@example.org")
	n, err := d.Sessions().EndOfPerson(ctx, first.PersonID)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	over(four, "all ended")
	over(five, "all ended")
	_, err = d.Sessions().Find(ctx, six)
	assert.NoError(t, err, "somebody else's stays")
	d.exec(`UPDATE sign_in SET asked_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE used_at IS NULL`)
	require.NoError(t, d.DeleteExpired(ctx))
}

func TestAddressesAreJoinedByProvingBothAndParted(t *testing.T) {
	t.Parallel()
	d, ctx := newDoor(t), t.Context()
	open := func(email string) (session.Session, string) {
		proof := d.letter(email, email, uuid.Nil)
		s, secret, err := d.SignInByLink(ctx, proof.Token, email)
		require.NoError(t, err)
		return s, secret
	}
	mine, mineSecret := open(ana)
	hers, hersSecret := open("bea@example.org")
	proof := d.letter("bea@example.org", "x", mine.PersonID)
	assert.True(t, proof.Links)
	notIn(t, d.code(donoraccess.CodeAttempt{Email: "bea@example.org", Code: proof.Code}), "a code that joins opens nothing")
	_, _, err := d.SignInByLink(ctx, proof.Token, "x")
	notIn(t, err, "nor does a link")
	stranger, _ := open("eve@example.org")
	notIn(t, d.LinkAddress(ctx, stranger, donoraccess.CodeAttempt{Email: "bea@example.org", Code: proof.Code, From: home}), "asked for by somebody else")
	notIn(t, d.LinkAddress(ctx, mine, donoraccess.CodeAttempt{Email: "bea@example.org", Code: "1", From: home}), "a wrong code")
	require.NoError(t, d.LinkAddress(ctx, mine, donoraccess.CodeAttempt{Email: "bea@example.org", Code: proof.Code, From: home}))

	addresses := func(s session.Session) (emails []string) {
		all, err := d.Mailboxes(ctx, s.PersonID)
		require.NoError(t, err)
		for _, m := range all {
			emails = append(emails, m.Email)
		}
		return emails
	}
	assert.Equal(t, []string{ana, "bea@example.org"}, addresses(mine))
	_, err = d.Sessions().Find(ctx, hersSecret)
	notIn(t, err, "what the address opened before ended")
	joined, joinedSecret := open("bea@example.org")
	assert.Equal(t, mine.PersonID, joined.PersonID, "either address opens both")

	assert.True(t, fault.Is(d.UnlinkAddress(ctx, mine, ana), fault.Conflict), "not the one you came in by")
	notIn(t, d.UnlinkAddress(ctx, stranger, "bea@example.org"), "not somebody else's")
	require.NoError(t, d.UnlinkAddress(ctx, mine, "bea@example.org"))
	notIn(t, d.UnlinkAddress(ctx, mine, "bea@example.org"), "not twice")
	assert.Equal(t, 2, d.count(`SELECT count(*) FROM river_job WHERE kind = 'address_letter'`), "both are told of")
	assert.Equal(t, []string{ana}, addresses(mine))
	_, err = d.Sessions().Find(ctx, joinedSecret)
	notIn(t, err, "what it opened ended")
	_, err = d.Sessions().Find(ctx, mineSecret)
	require.NoError(t, err)
	back, _ := open("bea@example.org")
	assert.Equal(t, hers.PersonID, back.PersonID, "whose it was before")
}

func TestFormsAreTheSessionsOwn(t *testing.T) {
	t.Parallel()
	k := donoraccess.Service{Secret: []byte("s")}
	one, two := session.Session{ID: uuid.New()}, session.Session{ID: uuid.New()}
	assert.True(t, k.Sessions().IsFormToken(one, k.Sessions().FormToken(one)))
	assert.False(t, k.Sessions().IsFormToken(one, k.Sessions().FormToken(two)))
	assert.False(t, k.Sessions().IsFormToken(one, ""))
	assert.False(t, strings.ContainsAny(k.Sessions().FormToken(one), "+/="))
}
