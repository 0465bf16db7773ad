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
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/planlink"
	"konbit/internal/people/donoraccess"
	"konbit/internal/people/session"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/keyring"
	"konbit/internal/workshop/testkit"
)

const ana = "ana@example.org"

var homeIP = netip.MustParseAddr("192.0.2.7")

type fixture struct {
	donoraccess.Service
	*testkit.Database
	t testing.TB
}

func newFixture(t testing.TB) fixture {
	t.Helper()
	db := testkit.DB(t)
	queue, err := jobs.NewQueue()
	require.NoError(t, err)
	keys := keyring.New([]byte("canary-secret-of-32-bytes-length"))
	return fixture{donoraccess.Service{
		DB: db.Server, Queue: queue, Guard: guard.New(db.Server, keys, guard.Limits{}, time.Now), Keys: keys,
		Limits: donoraccess.Standard(), Now: time.Now, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		EndLinksTx: func(ctx context.Context, tx *sqlx.Tx, emails []string) error {
			return planlink.EndOfEmailsTx(ctx, tx, emails)
		},
	}, db, t}
}

func (d fixture) exec(query string, args ...any) {
	d.t.Helper()
	_, err := d.Owner.Exec(query, args...)
	require.NoError(d.t, err)
}

func (d fixture) count(query string, args ...any) (n int) {
	d.t.Helper()
	require.NoError(d.t, d.Owner.Get(&n, query, args...))
	return n
}

// dump returns all rows of all tables as text.
func (d fixture) dump() (text string) {
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

// requestEmail requests an email from a network address without other attempts, and issues its credentials.
func (d fixture) requestEmail(email, browser string, person uuid.UUID) donoraccess.Credentials {
	d.t.Helper()
	d.exec(`DELETE FROM guard_count`)
	require.NoError(d.t, d.RequestChallenge(d.t.Context(), donoraccess.EmailChallenge{Email: email, From: homeIP, Browser: browser, Language: "en", Person: person}))
	return d.issueNewest()
}

// issueNewest issues the credentials of the newest request.
func (d fixture) issueNewest() donoraccess.Credentials {
	d.t.Helper()
	var id uuid.UUID
	require.NoError(d.t, d.Owner.Get(&id, `SELECT id FROM sign_in ORDER BY n DESC LIMIT 1`))
	proof, err := d.IssueCredentials(d.t.Context(), id)
	require.NoError(d.t, err)
	require.NotNil(d.t, proof)
	return *proof
}

func (d fixture) signInByCode(c donoraccess.CodeAttempt) error {
	if !c.From.IsValid() {
		c.From = netip.MustParseAddr("198.51.100.9")
	}
	_, _, err := d.SignInByCode(d.t.Context(), c)
	return err
}

func assertNotFound(t *testing.T, err error, why string) {
	t.Helper()
	assert.True(t, fault.Is(err, fault.NotFound), "%s: %v", why, err)
}

// TestT7LinksAndCodesAreValidOnce: a link or a code is valid once, for ten minutes, until one of the same address is used;
// a link only in the browser that requested it.
func TestT7LinksAndCodesAreValidOnce(t *testing.T) {
	t.Parallel()
	d, ctx := newFixture(t), t.Context()
	other := func(code string) string { return fmt.Sprintf("%08d", (int64(code[0]-'0')+1)%10*10_000_000+1) }

	first := d.requestEmail(ana, "mine", uuid.Nil)
	assert.Regexp(t, `^[0-9]{8}$`, first.Code)
	assert.Len(t, first.Token, 43)
	_, _, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: first.Token, Browsers: []string{"another"}})
	assertNotFound(t, err, "another browser")
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: first.Token, Browsers: []string{""}})
	assertNotFound(t, err, "a scanner without the cookie")
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: other(first.Code)}), "another code")
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: "other@example.org", Code: first.Code}), "another address")

	second := d.requestEmail(ana, "mine", uuid.Nil)
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: first.Code}), "a newer code was requested, elsewhere")
	again := d.issueNewest()
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: second.Token, Browsers: []string{"mine"}})
	assertNotFound(t, err, "the email was written again")
	s, secret, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: again.Token, Browsers: []string{"mine"}})
	require.NoError(t, err)
	assert.Equal(t, ana, s.Email)
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: again.Token, Browsers: []string{"mine"}})
	assertNotFound(t, err, "the second use")
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: again.Code}), "the code of a link that was used")
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: first.Token, Browsers: []string{"mine"}})
	assertNotFound(t, err, "another link was used since")
	found, err := d.Sessions().Find(ctx, secret)
	require.NoError(t, err)
	assert.Equal(t, s, found)

	late := d.requestEmail(ana, "mine", uuid.Nil)
	d.exec(`UPDATE sign_in SET asked_at = now() - interval '601 seconds', expires_at = now() - interval '1 second' WHERE used_at IS NULL`)
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: late.Token, Browsers: []string{"mine"}})
	assertNotFound(t, err, "the eleventh minute")
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: late.Code}), "the eleventh minute")
	assert.Equal(t, 1, d.count(`SELECT count(*) FROM session`))

	d.requestEmail(ana, "mine", uuid.Nil)
	proof := d.issueNewest()
	spaced := proof.Code[:4] + " - " + proof.Code[4:]
	require.NoError(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: spaced, Browser: "another"}), "the code works in any browser")
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
		assert.NotContains(t, dump, secret, "a copy of the database contains no secret")
		assert.NotContains(t, dump, hex.EncodeToString(bits))
		assert.NotContains(t, dump, hex.EncodeToString([]byte(secret)))
	}
}

func TestT7FiftyConcurrentUsesOpenOneSession(t *testing.T) {
	t.Parallel()
	d := newFixture(t)
	proof := d.requestEmail(ana, "mine", uuid.Nil)
	var signedIn atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				_, _, err = d.SignInByLink(context.Background(), donoraccess.LinkAttempt{Token: proof.Token, Browsers: []string{"mine"}})
			} else {
				_, _, err = d.SignInByCode(context.Background(), donoraccess.CodeAttempt{Email: ana, Code: proof.Code, Browser: "mine"})
			}
			if err == nil {
				signedIn.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, signedIn.Load())
	assert.Equal(t, 1, d.count(`SELECT count(*) FROM session`))
}

// TestRequestsOfOthersLeaveALinkValid: a request in another browser, of the donor or of a stranger who knows the address,
// neither keeps the email of an earlier one back nor ends its link and, in its own browser, its code. The first that is
// used ends all.
func TestRequestsOfOthersLeaveALinkValid(t *testing.T) {
	t.Parallel()
	d, ctx := newFixture(t), t.Context()
	pending := func() (mine, theirs donoraccess.Credentials) {
		mine = d.requestEmail(ana, "mine", uuid.Nil)
		for i := range 3 {
			theirs = d.requestEmail(ana, fmt.Sprintf("stranger %d", i), uuid.Nil)
		}
		return mine, theirs
	}
	mine, theirs := pending()
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: mine.Code, Browser: "phone"}), "elsewhere only the newest code is valid")
	_, _, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: mine.Token, Browsers: []string{"mine"}})
	require.NoError(t, err, "the link, where it was requested")
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: theirs.Token, Browsers: []string{"stranger 2"}})
	assertNotFound(t, err, "another was used since")
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: theirs.Code, Browser: "stranger 2"}), "another was used since")

	d.exec(`DELETE FROM guard_count`)
	mine, theirs = pending()
	for range 30 {
		_ = d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: "x", Browser: "stranger 2", From: netip.AddrFrom4([4]byte{10, 1, 2, 3})})
	}
	require.NoError(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: mine.Code, Browser: "mine"}), "the code, where it was requested")
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: mine.Token, Browsers: []string{"mine"}})
	assertNotFound(t, err, "it was used")

	d.exec(`DELETE FROM guard_count`)
	_, theirs = pending()
	require.NoError(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: theirs.Code, Browser: "mine"}), "the newest code, in any browser")

	d.exec(`DELETE FROM guard_count`)
	var id uuid.UUID
	require.NoError(t, d.RequestChallenge(ctx, donoraccess.EmailChallenge{Email: ana, From: homeIP, Browser: "mine", Language: "en"}))
	require.NoError(t, d.Owner.Get(&id, `SELECT id FROM sign_in ORDER BY n DESC LIMIT 1`))
	require.NoError(t, d.RequestChallenge(ctx, donoraccess.EmailChallenge{Email: ana, From: homeIP, Browser: "stranger", Language: "en"}))
	written, err := d.IssueCredentials(ctx, id)
	require.NoError(t, err)
	assert.NotNil(t, written, "a stranger's request does not keep the donor's email back")
}

// TestKnownBrowsersShareTheirGuesses: a person who has many marks of one mailbox may guess as often as with one mark.
func TestKnownBrowsersShareTheirGuesses(t *testing.T) {
	t.Parallel()
	d := newFixture(t)
	d.requestEmail(ana, "mine", uuid.Nil)
	compared := 0
	for range 20 {
		err := d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: "00000000", Known: d.MarkBrowser("", ana)})
		if !errors.Is(err, donoraccess.ErrTooMany) {
			compared++
		}
	}
	assert.Equal(t, 5, compared)
}

// TestT22GuessesDoNotSignIn: a stranger can cause only a few emails, guesses no code, and cannot lock a donor out.
func TestT22GuessesDoNotSignIn(t *testing.T) {
	t.Parallel()
	d := newFixture(t)
	const guesses, workers = 10_000, 12
	proof := d.requestEmail(ana, "mine", uuid.Nil)
	var signedIn, compared atomic.Int64
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for i := worker; i < guesses; i += workers {
				code := fmt.Sprintf("%08d", i*9973)
				if code == proof.Code {
					continue
				}
				from := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}) // each from another network
				_, _, err := d.SignInByCode(context.Background(), donoraccess.CodeAttempt{Email: ana, Code: code, From: from})
				switch {
				case err == nil:
					signedIn.Add(1)
				case !errors.Is(err, donoraccess.ErrTooMany):
					compared.Add(1)
				}
			}
		})
	}
	all.Wait()
	assert.Zero(t, signedIn.Load())
	assert.LessOrEqual(t, compared.Load(), int64(20), "guesses that were compared")
	require.NoError(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: proof.Code, Browser: "mine"}), "the browser that requested the code still signs in with it")

	proof = d.requestEmail(ana, "mine", uuid.Nil)
	for range 30 {
		_ = d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: "00000000", From: homeIP})
	}
	assert.ErrorIs(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: proof.Code, From: homeIP}), donoraccess.ErrTooMany)
	_, _, err := d.SignInByLink(t.Context(), donoraccess.LinkAttempt{Token: proof.Token, Browsers: []string{"mine"}})
	assert.NoError(t, err, "and with the link")
}

func TestT22EmailLimits(t *testing.T) {
	t.Parallel()
	d := newFixture(t)
	ask := func(email string, from netip.Addr) error {
		return d.RequestChallenge(t.Context(), donoraccess.EmailChallenge{Email: email, From: from, Browser: "x", Language: "en"})
	}
	accepted := 0
	for i := range 20 {
		email := ana
		if i%2 == 0 {
			email = fmt.Sprintf("ana+%d@example.org", i) // the same mailbox
		}
		if ask(email, netip.AddrFrom4([4]byte{10, 0, byte(i / 2), 1})) == nil {
			accepted++
		}
	}
	assert.Equal(t, 13, accepted, "emails to one mailbox: five in an hour, and one more from each of eight networks")
	for i := range 200 {
		if ask(ana, netip.AddrFrom4([4]byte{10, 1, byte(i), 1})) == nil {
			accepted++
		}
	}
	assert.Equal(t, 20, accepted, "emails to one mailbox in an hour, from any number of networks")
	known := d.MarkBrowser("", ana)
	askKnown := func(email, known string) error {
		return d.RequestChallenge(t.Context(), donoraccess.EmailChallenge{Email: email, From: homeIP, Browser: "x", Known: known, Language: "en"})
	}
	another := d.MarkBrowser("", "Ana+marked@example.org")
	require.NotEqual(t, known, another)
	for i := range 20 {
		mark := known
		if i%2 == 0 {
			mark = another
		}
		require.NoError(t, askKnown(ana, mark), "a known browser passes")
	}
	assert.ErrorIs(t, askKnown(ana, known), donoraccess.ErrTooMany, "a stolen mark does not send emails without end")
	assert.ErrorIs(t, askKnown(ana, another), donoraccess.ErrTooMany, "each proof makes another mark: all marks of one mailbox share a limit")
	d.exec(`DELETE FROM guard_count`)
	strict := d.Service
	strict.Limits.EmailsPerKnownNetwork.Max = 3
	strict.Limits.EmailsPerAddress = guard.Limit{Max: 1, Window: time.Hour}
	passed := 0
	for i := range 10 { // a person with many mailboxes, each with a mark
		address := fmt.Sprintf("donor@%d.example", i)
		err := strict.RequestChallenge(t.Context(), donoraccess.EmailChallenge{Email: address, From: homeIP, Browser: "x", Known: d.MarkBrowser("", address), Language: "en"})
		if err == nil {
			passed++
		}
	}
	assert.Equal(t, 4, passed, "three of the network's known browsers, one by the limits of all")
	d.exec(`DELETE FROM guard_count`)
	for i := range 30 {
		_ = ask(ana, netip.AddrFrom4([4]byte{10, 1, byte(i), 1}))
		if i < 20 {
			require.NoError(t, askKnown(ana, known))
		}
	}
	require.ErrorIs(t, askKnown(ana, known), donoraccess.ErrTooMany)
	for range 6 { // marks of other mailboxes push the mark out
		known = d.MarkBrowser(known, uuid.NewString()+"@example.org")
	}
	for _, bad := range []string{known, known + "x", strings.Repeat(".", 100), d.MarkBrowser("", "eve@example.org"), "x"} {
		assert.ErrorIs(t, askKnown(ana, bad), donoraccess.ErrTooMany, bad)
	}
	expired := d.Service
	expired.Now = func() time.Time { return time.Now().Add(-donoraccess.KnownBrowserLife - time.Minute) }
	assert.ErrorIs(t, askKnown(ana, expired.MarkBrowser("", ana)), donoraccess.ErrTooMany, "expired")
	d.exec(`DELETE FROM guard_count`)
	for i := range 30 {
		_ = ask(ana, netip.AddrFrom4([4]byte{10, 1, byte(i), 1}))
	}
	require.ErrorIs(t, askKnown(ana, ""), donoraccess.ErrTooMany)
	both := d.MarkBrowser(d.MarkBrowser("", ana), "bea@example.org")
	assert.NoError(t, askKnown(ana, both), "a browser is known for several mailboxes")
	assert.NotContains(t, both, "ana")
	five := 0
	for range 8 {
		from := netip.AddrFrom4([4]byte{10, 2, 0, 9})
		err := d.RequestChallenge(t.Context(), donoraccess.EmailChallenge{Email: "cleo@example.org", From: from, Browser: "x", Language: "en"})
		if err == nil {
			five++
		}
	}
	assert.Equal(t, 5, five, "from one network: four, and one more in a quarter of an hour")
	for i := range 2 { // five posts from two networks: they shut a donor out for an hour before
		_ = ask("cleo@example.org", netip.AddrFrom4([4]byte{10, 3, byte(i), 9}))
	}
	assert.NoError(t, ask("cleo@example.org", netip.MustParseAddr("203.0.115.1")), "the true user still gets in")
	accepted = 0
	for i := range 40 {
		if ask(fmt.Sprintf("donor-%d@example.org", i), homeIP) == nil {
			accepted++
		}
	}
	assert.Equal(t, 20, accepted, "emails from one address in an hour")
	away := netip.MustParseAddr("203.0.113.1")
	for range 10 {
		_ = ask("bea@example.org", away)
	}
	assert.NoError(t, ask("bea@example.org", netip.MustParseAddr("203.0.114.1")), "another network's emails do not use up the donor's")
}

func TestT8SessionsEnd(t *testing.T) {
	t.Parallel()
	d, ctx := newFixture(t), t.Context()
	open := func(email string) (session.Session, string) {
		proof := d.requestEmail(email, "mine", uuid.Nil)
		s, secret, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: proof.Token, Browsers: []string{"mine"}})
		require.NoError(t, err)
		return s, secret
	}
	assertEnded := func(secret, why string) {
		t.Helper()
		_, err := d.Sessions().Find(ctx, secret)
		assertNotFound(t, err, why)
	}
	first, one := open(ana)
	_, two := open(ana)
	assert.NotEqual(t, one, two)
	other, three := open("bea@example.org")
	assert.NotEqual(t, first.PersonID, other.PersonID)

	require.NoError(t, d.Sessions().End(ctx, one))
	assertEnded(one, "signed out")
	d.exec(`UPDATE session SET seen_at = now() - interval '13 days 23 hours', opened_at = now() - interval '89 days' WHERE ended_at IS NULL`)
	_, err := d.Sessions().Find(ctx, two)
	require.NoError(t, err, "the visit extends the session")
	_, err = d.Sessions().Find(ctx, two)
	require.NoError(t, err)
	assert.Equal(t, 1, d.count(`SELECT count(*) FROM session WHERE seen_at > now() - interval '1 minute' AND ended_at IS NULL`))
	d.exec(`UPDATE session SET seen_at = now() - interval '15 days' WHERE email = $1`, "bea@example.org")
	assertEnded(three, "two weeks without a visit")
	d.exec(`UPDATE session SET opened_at = now() - interval '91 days'`)
	assertEnded(two, "after ninety days")

	_, four := open(ana)
	_, five := open(ana)
	_, six := open("bea@example.org")
	n, err := d.Sessions().EndOfPerson(ctx, first.PersonID)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	assertEnded(four, "all ended")
	assertEnded(five, "all ended")
	_, err = d.Sessions().Find(ctx, six)
	assert.NoError(t, err, "another person's session stays open")
	d.exec(`UPDATE sign_in SET asked_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE used_at IS NULL`)
	require.NoError(t, d.DeleteExpired(ctx))
}

func TestLinkAndUnlinkAddress(t *testing.T) {
	t.Parallel()
	d, ctx := newFixture(t), t.Context()
	open := func(email string) (session.Session, string) {
		proof := d.requestEmail(email, "mine", uuid.Nil)
		s, secret, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: proof.Token, Browsers: []string{"mine"}})
		require.NoError(t, err)
		return s, secret
	}
	mine, mineSecret := open(ana)
	hers, hersSecret := open("bea@example.org")
	proof := d.requestEmail("bea@example.org", "x", mine.PersonID)
	assert.True(t, proof.Links)
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: "bea@example.org", Code: proof.Code}), "a code that links an address opens no session")
	_, _, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: proof.Token, Browsers: []string{"x"}})
	assertNotFound(t, err, "a link does not either")
	stranger, _ := open("eve@example.org")
	assertNotFound(t, d.LinkAddress(ctx, stranger, donoraccess.CodeAttempt{Email: "bea@example.org", Code: proof.Code, From: homeIP}), "requested by another person")
	assertNotFound(t, d.LinkAddress(ctx, mine, donoraccess.CodeAttempt{Email: "bea@example.org", Code: "1", From: homeIP}), "a wrong code")
	require.NoError(t, d.LinkAddress(ctx, mine, donoraccess.CodeAttempt{Email: "bea@example.org", Code: proof.Code, From: homeIP}))

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
	assertNotFound(t, err, "the sessions that the address opened have ended")
	linked, linkedSecret := open("bea@example.org")
	assert.Equal(t, mine.PersonID, linked.PersonID, "both addresses belong to one person")

	assert.True(t, fault.Is(d.UnlinkAddress(ctx, mine, ana), fault.Conflict), "the address of this session cannot be unlinked")
	assertNotFound(t, d.UnlinkAddress(ctx, stranger, "bea@example.org"), "another person cannot unlink it")
	require.NoError(t, d.UnlinkAddress(ctx, mine, "bea@example.org"))
	assertNotFound(t, d.UnlinkAddress(ctx, mine, "bea@example.org"), "it is unlinked already")
	assert.Equal(t, 2, d.count(`SELECT count(*) FROM river_job WHERE kind = 'address_letter'`), "an email about each of both changes")
	assert.Equal(t, []string{ana}, addresses(mine))
	_, err = d.Sessions().Find(ctx, linkedSecret)
	assertNotFound(t, err, "the sessions that the address opened have ended")
	_, err = d.Sessions().Find(ctx, mineSecret)
	require.NoError(t, err)
	back, _ := open("bea@example.org")
	assert.Equal(t, hers.PersonID, back.PersonID, "the address returns to the person who had it")
}

func TestFormTokensBelongToOneSession(t *testing.T) {
	t.Parallel()
	k := donoraccess.Service{Keys: keyring.New([]byte("s"))}
	one, two := session.Session{ID: uuid.New()}, session.Session{ID: uuid.New()}
	assert.True(t, k.Sessions().IsFormToken(one, k.Sessions().FormToken(one)))
	assert.False(t, k.Sessions().IsFormToken(one, k.Sessions().FormToken(two)))
	assert.False(t, k.Sessions().IsFormToken(one, ""))
	assert.False(t, strings.ContainsAny(k.Sessions().FormToken(one), "+/="))
}
